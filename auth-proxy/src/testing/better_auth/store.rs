//! The database: users and sessions.

use std::time::{Duration, SystemTime};

use aws_lc_rs::rand;
use serde_json::{Map, Value, json};

use crate::testing::account::Account;

/// The users and sessions of a fake. While the database is down, requests do not reach them.
#[derive(Default)]
pub(in crate::testing) struct Store {
    pub(super) users: Vec<User>,
    pub(super) sessions: Vec<Session>,
}

#[derive(Clone)]
pub(super) struct User {
    pub(super) password: String,
    /// The user as it is shown.
    pub(super) fields: Map<String, Value>,
}

#[derive(Clone)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) token: String,
    pub(super) user_id: String,
    pub(super) created: SystemTime,
    pub(super) updated: SystemTime,
    pub(super) expires: SystemTime,
    pub(super) ip_address: String,
    pub(super) user_agent: String,
}

impl Store {
    /// The store at the start, with the accounts that the builder was given.
    pub(in crate::testing) fn new(accounts: &[Account]) -> Self {
        let users = accounts.iter().map(|account| {
            let mut claims = account.claims.clone();
            if account.login.contains('@') {
                claims.entry("email").or_insert_with(|| account.login.clone().into());
            }
            User { password: account.password.clone(), fields: user_fields(&claims) }
        });
        Self { users: users.collect(), sessions: Vec::new() }
    }

    pub(super) fn user_mut(&mut self, id: &str) -> Option<&mut User> {
        self.users.iter_mut().find(|user| user.id() == id)
    }

    /// Adds a user with these claims and without a password: the user cannot sign in with one. If the id is taken, the
    /// claims of that user are replaced.
    pub(super) fn put_user(&mut self, claims: &Map<String, Value>) -> User {
        let user = User { password: String::new(), fields: user_fields(claims) };
        if let Some(known) = self.user_mut(user.id()) {
            known.fields.extend(user.fields);
            return known.clone();
        }
        self.users.push(user.clone());
        user
    }

    /// The session with this token and its user.
    pub(super) fn session(&self, token: &str) -> Option<(Session, User)> {
        let session = self.sessions.iter().find(|session| session.token == token)?;
        let user = self.users.iter().find(|user| user.id() == session.user_id)?;
        Some((session.clone(), user.clone()))
    }

    pub(super) fn add_session(&mut self, user_id: &str, lifetime: Duration) -> Session {
        let now = SystemTime::now();
        let session = Session {
            id: random_id(),
            token: random_id(),
            user_id: user_id.to_owned(),
            created: now,
            updated: now,
            expires: now + lifetime,
            ip_address: String::new(),
            user_agent: String::new(),
        };
        self.sessions.push(session.clone());
        session
    }

    /// Writes a session that exists.
    pub(super) fn put_session(&mut self, session: Session) {
        if let Some(known) = self.sessions.iter_mut().find(|known| known.token == session.token) {
            *known = session;
        }
    }

    pub(super) fn remove_session(&mut self, token: &str) {
        self.sessions.retain(|session| session.token != token);
    }
}

impl User {
    pub(super) fn id(&self) -> &str {
        self.fields.get("id").and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn has_email(&self, email: &str) -> bool {
        let own = self.fields.get("email").and_then(Value::as_str);
        own.is_some_and(|own| own.eq_ignore_ascii_case(email))
    }
}

impl Session {
    /// The session as it is shown.
    pub(super) fn json(&self) -> Value {
        json!({
            "id": self.id,
            "userId": self.user_id,
            "token": self.token,
            "expiresAt": date(self.expires),
            "createdAt": date(self.created),
            "updatedAt": date(self.updated),
            "ipAddress": self.ip_address,
            "userAgent": self.user_agent,
        })
    }
}

/// The fields of a user with these claims: `sub` is its id and `picture` its image, as in the claims that this crate
/// makes of them. Other claims are fields of the same name, as with `user.additionalFields`.
pub(super) fn user_fields(claims: &Map<String, Value>) -> Map<String, Value> {
    let mut fields = claims.clone();
    let id = fields.remove("sub").or_else(|| fields.remove("id"));
    let id = match id {
        Some(Value::String(id)) => id,
        Some(id) => id.to_string(),
        None => random_id(),
    };
    let image = fields.remove("picture");
    let now = date(SystemTime::now());
    for (name, value) in [
        ("name", json!("")),
        ("email", json!(format!("{id}@example.com"))),
        ("emailVerified", json!(false)),
        ("image", image.unwrap_or_default()),
        ("createdAt", json!(now)),
        ("updatedAt", json!(now)),
    ] {
        fields.entry(name).or_insert(value);
    }
    fields.insert("id".to_owned(), json!(id));
    fields
}

/// ISO 8601 with milliseconds, as JavaScript writes a date.
pub(super) fn date(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}

/// 32 random letters and digits.
pub(super) fn random_id() -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut bytes = [0; 32];
    // This fails only if the kernel has no randomness. A fake may then repeat a value.
    let _ = rand::fill(&mut bytes);
    bytes
        .iter()
        .filter_map(|byte| ALPHABET.get(usize::from(*byte) % ALPHABET.len()))
        .map(|c| char::from(*c))
        .collect()
}
