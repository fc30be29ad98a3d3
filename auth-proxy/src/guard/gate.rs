//! Whom the layer lets pass, and the session for the service behind it.

use http::request::Parts;

use super::GuardRejection;
use super::extract::{check, finish, session_absent};
use super::rule::{Decision, Rule, Visitor};
use crate::extract::{RequestAuth, Session};
use crate::provider::{AuthProxy, Proxy};

/// Whom a [`RequireLayer`](super::RequireLayer) lets pass.
#[derive(Clone, Copy)]
pub(super) enum Gate {
    /// Whom the rule allows.
    Rule,
    /// The same, and the extensions have the session.
    RuleAndSession,
    /// Everybody, and the extensions have the session if there is one.
    Everybody,
}

impl Gate {
    /// Whether the request passes.
    ///
    /// # Errors
    /// The response to a request that does not.
    pub(super) async fn pass<P: AuthProxy, R: Rule<P>>(
        self,
        proxy: &Proxy<P>,
        parts: &mut Parts,
        rule: &R,
    ) -> Result<(), GuardRejection> {
        // Without a rule, the session decides and not the token: it is looked up anyway, and the decision counts once.
        let is_decided = match self {
            Self::Rule => return check(proxy, parts, rule).await,
            Self::RuleAndSession => !rule.is_signed_in(),
            Self::Everybody => false,
        };
        // An app may copy the extensions of another request.
        parts.extensions.remove::<Session<P>>();
        if is_decided {
            check(proxy, parts, rule).await?;
        }
        let found = RequestAuth::of(proxy.clone(), parts).session().await;
        let found = found.and_then(|session| session.ok_or_else(session_absent));
        let session = if is_decided {
            Some(found.map_err(|error| GuardRejection::new(error, parts, proxy.shared()))?)
        } else {
            finish(proxy, parts, found, matches!(self, Self::Everybody))?
        };
        if let Some(session) = session {
            parts.extensions.insert(session);
        }
        Ok(())
    }
}

/// In place of the rule of a layer that is no guard: see [`Proxy::session_layer`]. Only this crate can make one.
///
/// ```
/// # auth_proxy::auth_proxy! { struct Auth { upstream: { base_url: "http://auth.internal" } } }
/// use auth_proxy::layers::{Guests, RequireLayer};
///
/// fn everybody(auth: &Auth) -> RequireLayer<Auth, Guests> {
///     auth.session_layer()
/// }
/// ```
#[derive(Debug)]
pub struct Guests(pub(super) ());

impl<P: AuthProxy> Rule<P> for Guests {
    async fn check(&self, _: &Visitor<'_, P>) -> Decision {
        Decision::Allow
    }
}
