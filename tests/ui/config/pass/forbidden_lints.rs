//! A user's `forbid` refuses every `allow` below it, also one of generated code. The unused functions of a proxy give no
//! warning.
#![deny(warnings)]
#![forbid(dead_code, non_upper_case_globals, unused_variables, unreachable_code)]

use auth_proxy::auth_proxy;

auth_proxy! {
    struct Auth { upstream: { base_url: "http://auth" } }
}

mod inner {
    auth_proxy::auth_proxy! {
        #[deny(missing_docs)]
        pub(super) struct Other { upstream: { base_url: env("URL") } }
    }
}

fn main() {
    let _ = Auth::from_env();
    let _ = inner::Other::VARIABLES;
}
