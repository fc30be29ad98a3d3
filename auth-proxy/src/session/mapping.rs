//! Maps token claims to a session (`session.source: local`), and a session to claims.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use crate::dialect::{Dialect, RawSession};

/// Maps the claims of a token to a session, for `session.source: local`.
///
/// It returns the JSON that the upstream's `/session` would return: an object with `user`. To show claims under their
/// own names, `session.claims: [role]` in the block is enough. If the upstream's session callback does more than that,
/// set a mapping with [`Builder::session_mapping`](crate::options::Builder::session_mapping). Functions of the same
/// signature implement this trait.
///
/// ```
/// use auth_proxy::{auth_proxy, options::SessionSource, sessions::{DefaultMapping, SessionMapping}};
/// use serde_json::{Map, Value};
///
/// auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
///
/// fn with_roles(claims: &Map<String, Value>) -> Map<String, Value> {
///     let mut session = DefaultMapping.session(claims);
///     session.insert("roles".to_owned(), claims.get("roles").cloned().unwrap_or_default());
///     session
/// }
///
/// let auth = Auth::builder()
///     .upstream_secret(["a secret of the Auth.js server, 32 bytes"])
///     .session_source(SessionSource::Local)
///     .session_mapping(with_roles)
///     .build()?;
/// # Ok::<(), auth_proxy::ConfigError>(())
/// ```
pub trait SessionMapping: Send + Sync + 'static {
    /// The session for these claims. Without an object `user` the visitor is signed out.
    fn session(&self, claims: &Map<String, Value>) -> Map<String, Value>;
}

impl<F: Fn(&Map<String, Value>) -> Map<String, Value> + Send + Sync + 'static> SessionMapping for F {
    fn session(&self, claims: &Map<String, Value>) -> Map<String, Value> {
        self(claims)
    }
}

/// Maps claims as Auth.js's default session callback does (`docs/authjs.md#session-callback`): `name`, `email`, and
/// `picture` as `image`. It adds `sub` as `id`, which that callback leaves out.
///
/// ```
/// use auth_proxy::sessions::{DefaultMapping, SessionMapping};
/// use serde_json::{Map, json};
///
/// let claims = Map::from_iter([("sub".to_owned(), json!("1")), ("name".to_owned(), json!("Ada"))]);
/// assert_eq!(DefaultMapping.session(&claims)["user"], json!({ "id": "1", "name": "Ada" }));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DefaultMapping;

impl SessionMapping for DefaultMapping {
    fn session(&self, claims: &Map<String, Value>) -> Map<String, Value> {
        let mut user = Map::new();
        for (claim, field) in [("sub", "id"), ("name", "name"), ("email", "email"), ("picture", "image")] {
            if let Some(value) = claims.get(claim) {
                user.insert(field.to_owned(), value.clone());
            }
        }
        Map::from_iter([("user".to_owned(), Value::Object(user))])
    }
}

/// [`DefaultMapping`], and the claims of `session.claims` under their own names. If `session.claims` lists `id`, that
/// claim replaces `sub` as the user's id.
pub(crate) struct NamedClaims(pub(crate) Vec<String>);

impl SessionMapping for NamedClaims {
    fn session(&self, claims: &Map<String, Value>) -> Map<String, Value> {
        let mut session = DefaultMapping.session(claims);
        if let Some(Value::Object(user)) = session.get_mut("user") {
            for name in &self.0 {
                if let Some(value) = claims.get(name) {
                    user.insert(name.clone(), value.clone());
                }
            }
        }
        session
    }
}

/// The session that a mapping makes of claims. It expires with the token. `None` if the mapping returns no user: the
/// visitor is signed out.
pub(crate) fn session(mapping: &dyn SessionMapping, claims: &Map<String, Value>) -> Option<RawSession> {
    let mut session = mapping.session(claims);
    let Some(Value::Object(user)) = session.remove("user") else { return None };
    session.remove("expires");
    let expires = claims
        .get("exp")
        .and_then(Value::as_f64)
        // A time after the year 9999 cannot be written as a date, so it counts as no expiry.
        .filter(|exp| *exp < 253_402_300_800.0)
        .and_then(|exp| Duration::try_from_secs_f64(exp).ok())
        .and_then(|exp| SystemTime::UNIX_EPOCH.checked_add(exp));
    Some(RawSession { user, expires, extra: session, needs_refresh: false })
}

/// The claims of a session, if no token can be decoded here: the reverse of [`DefaultMapping`], with every other field
/// of the user unchanged.
pub(crate) fn claims(dialect: &dyn Dialect, session: &RawSession) -> Map<String, Value> {
    let mut claims = session.user.clone();
    for (field, claim) in [("id", "sub"), ("image", "picture")] {
        if let Some(value) = claims.remove(field) {
            claims.insert(claim.to_owned(), value);
        }
    }
    if !claims.contains_key("sub")
        && let Some(id) = dialect.user_id(session)
    {
        claims.insert("sub".to_owned(), id.clone());
    }
    if let Some(session) = dialect.session_claim(session) {
        claims.insert("session".to_owned(), session.clone());
    }
    claims
}

/// The id of the user, as text. `None` if the session has none.
pub(crate) fn subject(dialect: &dyn Dialect, session: &RawSession) -> Option<String> {
    let id = ["id", "sub"].into_iter().find_map(|field| session.user.get(field).filter(|id| !id.is_null()));
    match id.or_else(|| dialect.user_id(session))? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn claims_mapped_to_a_session_and_back_stay_the_same() {
        let Value::Object(given) =
            json!({"sub": "1", "name": "Ada", "email": "a@b.c", "picture": "p", "exp": 1.5, "jti": "x"})
        else {
            unreachable!()
        };
        let session = session(&DefaultMapping, &given).unwrap();
        assert_eq!(
            Value::Object(session.user.clone()),
            json!({"id": "1", "name": "Ada", "email": "a@b.c", "image": "p"})
        );
        assert_eq!(session.expires, Some(SystemTime::UNIX_EPOCH + Duration::from_millis(1500)));
        assert_eq!(
            Value::Object(claims(crate::dialect::of(None), &session)),
            json!({"sub": "1", "name": "Ada", "email": "a@b.c", "picture": "p"})
        );
    }
}
