//! [`BrowserClient`]: the module that pages import to sign in and out. It has the same functions for every family, and
//! is put together from `shared.js` and the file of the family.

/// The files of the browser client.
pub(crate) struct BrowserClient {
    /// The module.
    pub(crate) script: &'static str,
    /// Its types, in TypeScript.
    pub(crate) types: &'static str,
    /// The `ETag` of both files. It names the family too: an app can change its upstream and keep its version.
    pub(crate) tag: &'static str,
}

macro_rules! client {
    ($family:literal) => {
        BrowserClient {
            script: concat!(include_str!("shared.js"), "\n", include_str!(concat!($family, ".js"))),
            types: include_str!("client.d.ts"),
            tag: concat!("\"", env!("CARGO_PKG_VERSION"), "-", $family, "\""),
        }
    };
}

pub(super) const AUTHJS: BrowserClient = client!("authjs");
pub(super) const BETTER_AUTH: BrowserClient = client!("better_auth");
