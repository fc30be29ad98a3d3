//! `#[allow(deprecated)]` silences the warnings about values that are probably not meant. A declaration that is left out has
//! none.
#![deny(warnings)]

use auth_proxy::auth_proxy;

auth_proxy! {
    #[allow(deprecated)]
    pub struct Auth {
        hosts: ["app.example.com", "localhost:3000"],
        upstream: { base_url: "https://auth.example.com", allow_http: true },
    }
}

auth_proxy! {
    #[cfg(any())]
    pub struct Absent {
        hosts: ["app.example.com", "localhost:3000"],
        upstream: { base_url: "https://auth.example.com" },
    }
}

auth_proxy! {
    #[cfg_attr(all(), allow(deprecated))]
    pub struct Other {
        hosts: ["app.example.com", "localhost:3000"],
        upstream: { base_url: "https://auth.example.com" },
    }
}

auth_proxy! {
    #[expect(deprecated, reason = "the block is shared")]
    #[expect(non_camel_case_types)]
    pub struct expected {
        hosts: ["app.example.com", "localhost:3000", "127.0.0.1"],
        upstream: { base_url: "https://auth.example.com" },
    }
}

fn main() {
    let _ = (Auth::builder(), Other::builder(), expected::builder());
}
