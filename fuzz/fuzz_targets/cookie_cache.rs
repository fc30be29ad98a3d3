#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| auth_proxy_fuzz_properties::cookie_cache(data));
