//! The macros as plain functions, so that a fuzz target can call them.

// Only procedural macro crates have this crate by default.
extern crate proc_macro;

#[path = "../../../auth-proxy-macros/src/caller.rs"]
mod caller;
#[path = "../../../auth-proxy-macros/src/config/mod.rs"]
mod config;
#[path = "../../../auth-proxy-macros/src/errors.rs"]
mod errors;
#[path = "../../../auth-proxy-macros/src/misspelt.rs"]
mod misspelt;
#[path = "../../../auth-proxy-macros/src/require_session/mod.rs"]
mod require_session;
#[path = "../../../auth-proxy-macros/src/tokens.rs"]
mod tokens;
#[path = "../../../auth-proxy-macros/src/warnings.rs"]
mod warnings;

use proc_macro2::TokenStream;

/// Expands `auth_proxy!`. The input begins with the crate path, which the macro of the runtime adds.
#[must_use]
pub fn auth_proxy(input: TokenStream) -> TokenStream {
    config::expand(input)
}

/// Expands `#[require_session]`.
#[must_use]
pub fn require_session(args: TokenStream, item: TokenStream) -> TokenStream {
    require_session::expand(args, item)
}
