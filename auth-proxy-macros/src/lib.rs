//! The macros of [axum-auth-proxy](https://docs.rs/axum-auth-proxy). Depend on that crate, which re-exports
//! them; it is pinned to this one's exact version.

mod caller;
mod config;
mod errors;
mod misspelt;
mod require_session;
mod tokens;
mod warnings;

use proc_macro::TokenStream;

/// Called by `auth_proxy::auth_proxy!`, which passes the path of its crate: the crate may be renamed. Not for direct
/// use.
#[doc(hidden)]
#[proc_macro]
pub fn auth_proxy_internal(input: TokenStream) -> TokenStream {
    config::expand(input.into()).into()
}

/// Lets a handler run only for a signed-in user. The documentation is at the re-export in `auth_proxy`.
#[proc_macro_attribute]
pub fn require_session(args: TokenStream, item: TokenStream) -> TokenStream {
    require_session::expand(args.into(), item.into()).into()
}
