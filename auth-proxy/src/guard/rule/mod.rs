//! Rules: which signed-in visitors may pass, as values.

mod combine;
pub(crate) mod convert;
mod decision;
mod dynamic;
mod function;
mod list;
mod membership;
mod sign_in;
mod visitor;

pub use self::combine::{All, Any, Not, all, any, not};
pub use self::convert::IntoRule;
pub use self::decision::Decision;
pub use self::dynamic::DynRule;
pub(super) use self::membership::roles;
pub use self::membership::{Has, organization, permission, role};
pub use self::sign_in::{Acr, MaxAge, SignedIn, acr, max_age, signed_in};
pub use self::visitor::Visitor;
use crate::provider::AuthProxy;

/// Decides which signed-in visitors may pass, as a value: [`Policy`](crate::Policy) is the same as a type.
///
/// A guard asks a rule only about visitors who have a session, so a rule never decides about a visitor who is signed out,
/// and is not asked in an outage. It may wait for something, such as an answer of a database.
///
/// Implement it for a rule that reads the request, or that answers more than yes and no. Else a function is enough: see
/// [`IntoRule`].
///
/// ```
/// # use auth_proxy::auth_proxy;
/// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
/// # async fn owner_of(_: &str) -> std::io::Result<String> { Ok(String::new()) }
/// use auth_proxy::rules::{Decision, Rule, Visitor};
///
/// /// The owner of the document in the path may pass.
/// struct Owner;
///
/// impl Rule<Auth> for Owner {
///     async fn check(&self, visitor: &Visitor<'_, Auth>) -> Decision {
///         match owner_of(visitor.uri().path()).await {
///             Ok(owner) => Decision::from(visitor.session().user.id.as_deref() == Some(&owner)),
///             Err(error) => Decision::unavailable(error), // 503, and never 403
///         }
///     }
/// }
///
/// # let auth = Auth::from_env()?;
/// let layer = auth.require(Owner);
/// # Ok::<(), auth_proxy::ConfigError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a rule of the proxy `{P}`",
    label = "does not implement `Rule<{P}>`",
    note = "`DynRule::new(..)` makes a rule of a policy or a function"
)]
pub trait Rule<P: AuthProxy>: Send + Sync + 'static {
    /// Whether the visitor may pass.
    fn check(&self, visitor: &Visitor<'_, P>) -> impl Future<Output = Decision> + Send;

    /// Whether it allows every signed-in visitor, so that the session need not be looked up to ask it.
    #[doc(hidden)]
    fn is_signed_in(&self) -> bool {
        false
    }
}
