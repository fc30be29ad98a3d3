//! The macros of [axum-auth-proxy](https://docs.rs/axum-auth-proxy). Depend on that crate, which re-exports
//! them; it is pinned to this one's exact version.

mod config;
mod errors;
mod require_session;
mod tokens;

use proc_macro::TokenStream;

/// Behind `auth_proxy::auth_proxy!`, which passes its own crate along so that it works under any
/// name. Not for use by hand.
#[doc(hidden)]
#[proc_macro]
pub fn auth_proxy_internal(input: TokenStream) -> TokenStream {
    config::expand(input.into()).into()
}

/// Lets a handler run only when somebody is signed in. Documented where auth-proxy re-exports it.
#[proc_macro_attribute]
pub fn require_session(args: TokenStream, item: TokenStream) -> TokenStream {
    require_session::expand(args.into(), item.into()).into()
}
