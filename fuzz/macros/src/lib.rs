//! The macros as plain functions, so that a fuzz target can call them.

// Only procedural macro crates have it by default.
extern crate proc_macro;

#[path = "../../../auth-proxy-macros/src/config/mod.rs"]
mod config;
#[path = "../../../auth-proxy-macros/src/errors.rs"]
mod errors;
#[path = "../../../auth-proxy-macros/src/require_session/mod.rs"]
mod require_session;
#[path = "../../../auth-proxy-macros/src/tokens.rs"]
mod tokens;

use proc_macro2::TokenStream;

/// `auth_proxy!`, as called by the macro that adds the crate path.
#[must_use]
pub fn auth_proxy(input: TokenStream) -> TokenStream {
    config::expand(input)
}

/// `#[require_session]`.
#[must_use]
pub fn require_session(args: TokenStream, item: TokenStream) -> TokenStream {
    require_session::expand(args, item)
}
