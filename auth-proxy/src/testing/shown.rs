//! What `/session` tells of a user: what the default session callback of a real server does.

use std::time::SystemTime;

use serde_json::{Map, Value, json};

use super::routes::Visit;
use crate::config::Strategy;

/// The fields of `session.user`, and the claims that they are made of: `core/lib/init.ts:38-47`, in both strategies.
const AUTHJS: &[(&str, &str)] = &[("name", "name"), ("email", "email"), ("image", "picture")];
/// Robo's own callback (`robo/events/_start.ts:385-401`), as one was seen running with tokens, and with a database.
const ROBO_JWT: &[(&str, &str)] = &[("name", "name"), ("email", "email"), ("emailVerified", "emailVerified")];
const ROBO_DATABASE: &[(&str, &str)] =
    &[("id", "sub"), ("email", "email"), ("emailVerified", "emailVerified"), ("name", "name")];

impl Visit<'_> {
    /// The body of `/session` for a user with these claims.
    pub(super) fn session_json(&self, claims: &Map<String, Value>, token: &str) -> Value {
        let fake = self.fake;
        let fields = match (fake.robo, fake.strategy) {
            (false, _) => AUTHJS,
            (true, Strategy::Jwt) => ROBO_JWT,
            (true, _) => ROBO_DATABASE,
        };
        let mut user = Map::new();
        for (field, claim) in fields {
            // Robo tells what it does not know as null; JavaScript leaves `undefined` out.
            let value = claims.get(*claim).cloned().or_else(|| fake.robo.then_some(Value::Null));
            user.extend(value.map(|value| ((*field).to_owned(), value)));
        }
        for name in &fake.session_claims {
            let claim = if name == "id" && !claims.contains_key("id") { "sub" } else { name };
            user.extend(claims.get(claim).map(|value| (name.clone(), value.clone())));
        }
        let expires = humantime::format_rfc3339_millis(SystemTime::now() + fake.max_age).to_string();
        if fake.robo && fake.strategy == Strategy::Database {
            let id = claims.get("sub").cloned().unwrap_or_default();
            // The cookie's value in the body, where scripts can read it.
            return json!({ "user": user, "expires": expires, "sessionToken": token, "userId": id });
        }
        json!({ "user": user, "expires": expires })
    }
}
