//! `#[allow(deprecated)]` silences the warnings about values that are probably not meant.
#![deny(deprecated)]

use auth_proxy::auth_proxy;

auth_proxy! {
    #[allow(deprecated)]
    pub struct Auth {
        hosts: ["localhost:3000"],
        upstream: { base_url: "https://auth.example.com", allow_http: true },
    }
}

fn main() {
    let _ = Auth::builder();
}
