//! What `#[require_session(Auth, Admin)]` writes, so that a wrong argument is one error, at the argument.
//!
//! A bound on an argument of an `async fn` is checked at the argument, at the return type and at each use of the
//! function. A constant in a type is checked once: after an error in it, rustc reports nothing else about the type.

use super::{Policy, RequireSession};
use crate::provider::AuthProxy;

/// The first argument of `#[require_session]`. Implemented for each declared type, so that rustc names them in an error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a proxy",
    label = "not declared by `auth_proxy!`",
    note = "if `{Self}` is a policy, write the proxy before it, as in `#[require_session(Auth, {Self})]`",
    note = "if it is to be a proxy, declare it: `auth_proxy! {{ pub struct {Self} {{ .. }} }}`"
)]
pub trait ProxyArgument: AuthProxy {}

/// Checks the argument of `#[require_session(Auth)]`.
#[must_use]
pub const fn proxy<P: ProxyArgument>() -> usize {
    1
}

/// Checks the arguments of `#[require_session(Auth, Admin)]`.
#[must_use]
pub const fn policy<P: ProxyArgument, A: Policy<P>>() -> usize {
    1
}

/// The guard, for arguments that were checked.
pub trait Guarded<P, A> {
    /// [`RequireSession`].
    type Guard;
}

impl<P: AuthProxy, A: Policy<P>> Guarded<P, A> for [(); 1] {
    type Guard = RequireSession<P, A>;
}
