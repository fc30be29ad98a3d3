//! Who the visitor is, for services that do not read sessions themselves.

use serde_json::{Map, Value};

use super::RequestAuth;
use super::memo::Found;
use crate::provider::AuthProxy;

/// Who a signed-in visitor is. A field that the upstream does not tell is `None`.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct VisitorIdentity {
    /// The id of the user: that of the session, else the `sub` of the token.
    pub(crate) subject: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) roles: Vec<String>,
}

impl<P: AuthProxy> RequestAuth<'_, P> {
    /// Who the visitor is, by the session that `session.source` gives. `None` without a session.
    ///
    /// The session is read as the upstream sent it, so it need not fit the app's types.
    pub(crate) async fn identity(&self) -> Found<VisitorIdentity> {
        let Some(session) = self.cached_session().await? else { return Ok(None) };
        let raw = session.raw();
        let own_id = raw.user.get("id").or_else(|| self.dialect().user_id(raw)).and_then(id);
        let subject = match own_id {
            Some(subject) => Some(subject),
            None => self.subject_of_token().await,
        };
        let field = |name| raw.user.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        Ok(Some(VisitorIdentity {
            subject,
            name: field("name").map(str::to_owned),
            email: field("email").map(str::to_owned),
            roles: roles(&raw.user),
        }))
    }

    /// The `sub` of the token. The token is the one that the session belongs to.
    async fn subject_of_token(&self) -> Option<String> {
        let verified = self.own_claims().await.ok()??;
        verified.names().sub.filter(|sub| !sub.is_empty())
    }
}

/// An id as text. Some databases count their users.
fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) if number.is_u64() || number.is_i64() => Some(number.to_string()),
        _ => None,
    }
}

/// The roles of a user: `roles`, else `role`, as a list or as text with commas (the plugin `admin` of Better Auth).
fn roles(user: &Map<String, Value>) -> Vec<String> {
    let split = |text: &str| text.split(',').map(|role| role.trim().to_owned()).collect::<Vec<_>>();
    let found = match user.get("roles").or_else(|| user.get("role")) {
        Some(Value::String(text)) => split(text),
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    found.into_iter().filter(|role| !role.is_empty()).collect()
}
