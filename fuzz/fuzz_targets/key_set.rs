#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| auth_proxy_fuzz_properties::key_set(data));
