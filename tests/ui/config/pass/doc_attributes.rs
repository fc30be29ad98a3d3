#![deny(warnings, missing_docs)]
//! `#[doc(..)]` without a text keeps the generated documentation: `missing_docs` does not warn.

use auth_proxy::auth_proxy;

auth_proxy! {
    #[doc(alias = "login")]
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

fn main() {}
