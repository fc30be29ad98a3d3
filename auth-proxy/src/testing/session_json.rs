//! The body of `/session`, as the default session callback of a real server builds it.

use std::time::SystemTime;

use serde_json::{Map, Value, json};

use super::request::FakeRequest;
use crate::config::Strategy;

/// The fields of `session.user` and the claim that each comes from, in both strategies
/// (`docs/authjs.md#session-callback`).
const AUTHJS: &[(&str, &str)] = &[("name", "name"), ("email", "email"), ("image", "picture")];
/// The same for Robo's own callback (`docs/authjs.md#session-callback-robo`), as observed on a running server: for
/// token sessions and for database sessions.
const ROBO_JWT: &[(&str, &str)] = &[("name", "name"), ("email", "email"), ("emailVerified", "emailVerified")];
const ROBO_DATABASE: &[(&str, &str)] =
    &[("id", "sub"), ("email", "email"), ("emailVerified", "emailVerified"), ("name", "name")];

impl FakeRequest<'_> {
    /// The body of `/session` for a user with these claims.
    pub(super) fn session_json(&self, claims: &Map<String, Value>, token: &str) -> Value {
        let settings = &self.fake.settings;
        let fields = match (settings.is_robo(), settings.strategy) {
            (false, _) => AUTHJS,
            (true, Strategy::Jwt) => ROBO_JWT,
            (true, _) => ROBO_DATABASE,
        };
        let mut user = Map::new();
        for (field, claim) in fields {
            // Robo writes null for a missing claim. In Auth.js the value is `undefined`, which JSON leaves out.
            let value = claims.get(*claim).cloned().or_else(|| settings.is_robo().then_some(Value::Null));
            user.extend(value.map(|value| ((*field).to_owned(), value)));
        }
        for name in &settings.session_claims {
            let claim = if name == "id" && !claims.contains_key("id") { "sub" } else { name };
            user.extend(claims.get(claim).map(|value| (name.clone(), value.clone())));
        }
        let expires = humantime::format_rfc3339_millis(SystemTime::now() + settings.max_age).to_string();
        if settings.is_robo() && settings.strategy == Strategy::Database {
            let id = claims.get("sub").cloned().unwrap_or_default();
            // Robo puts the cookie's value into the body, where scripts can read it.
            return json!({ "user": user, "expires": expires, "sessionToken": token, "userId": id });
        }
        json!({ "user": user, "expires": expires })
    }
}
