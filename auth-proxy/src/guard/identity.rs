//! The check for a service that is told who the visitor is.

use http::request::Parts;

use super::GuardRejection;
use super::extract::{ask, finish, session_absent};
use super::rule::{Rule, Visitor, roles};
use crate::error::AuthError;
use crate::extract::RequestAuth;
use crate::provider::{AuthProxy, Proxy};

/// The identity of a signed-in visitor, as the upstream sent it. A field that is not known is `None`.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct VisitorIdentity {
    pub(crate) subject: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) roles: Vec<String>,
}

/// The identity of the visitor of a request, by the session that `session.source` gives. With a rule, only visitors may pass
/// whom it allows. Without one, a visitor who is signed out may pass too, as `None`.
///
/// # Errors
/// The response to a refused request. An invalid Bearer token and an outage are errors without a rule too.
pub(crate) async fn identify<P: AuthProxy, R: Rule<P>>(
    proxy: &Proxy<P>,
    parts: &mut Parts,
    rule: Option<&R>,
) -> Result<Option<VisitorIdentity>, GuardRejection> {
    let result = allowed(&RequestAuth::of(proxy.clone(), parts), rule).await;
    finish(proxy, parts, result, rule.is_none())
}

async fn allowed<P: AuthProxy, R: Rule<P>>(
    request: &RequestAuth<'_, P>,
    rule: Option<&R>,
) -> Result<VisitorIdentity, AuthError> {
    let visitor = Visitor::of(request).await?.ok_or_else(session_absent)?;
    if let Some(rule) = rule {
        ask(request, rule, &visitor).await?;
    }
    let (name, email) = (visitor.text("name"), visitor.text("email"));
    Ok(VisitorIdentity { subject: visitor.subject(), name, email, roles: roles(&visitor) })
}
