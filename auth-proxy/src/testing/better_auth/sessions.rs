//! The routes of a signed-in visitor's sessions: listing and revoking.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::lookup::Found;
use super::request::{DatabaseDown, Request};
use super::response::{Answered, Json, Refusal, unauthorized, validation_error};

impl Request<'_> {
    pub(super) fn list_sessions(&mut self) -> Answered {
        let found = self.signed_in(false)?;
        let database = self.database()?;
        let sessions = database.better_auth.sessions.iter();
        let own = sessions
            .filter(|session| session.user_id == found.user_id() && session.expires > SystemTime::now());
        Ok(Json::ok(own.map(super::store::Session::json).collect()))
    }

    /// Revokes the session with this token. It must be the visitor's own: the answer for another one is the same.
    pub(super) fn revoke_session(&mut self) -> Answered {
        let fields = self.fields(false)?;
        let Some(token) = fields.get("token").and_then(Value::as_str) else {
            return Err(validation_error("[body.token] Invalid input: expected string, received undefined"));
        };
        let found = self.signed_in(true)?;
        self.database()?
            .better_auth
            .sessions
            .retain(|session| session.token != token || session.user_id != found.user_id());
        if token == found.token() {
            self.clear_session();
        }
        Ok(Json::ok(json!({ "status": true })))
    }

    pub(super) fn revoke_sessions(&mut self) -> Answered {
        let found = self.signed_in(true)?;
        self.database()?.better_auth.sessions.retain(|session| session.user_id != found.user_id());
        self.clear_session();
        Ok(Json::ok(json!({ "status": true })))
    }

    pub(super) fn revoke_other_sessions(&mut self) -> Answered {
        let found = self.signed_in(true)?;
        self.database()?
            .better_auth
            .sessions
            .retain(|session| session.user_id != found.user_id() || session.token == found.token());
        Ok(Json::ok(json!({ "status": true })))
    }

    /// The session of a request that needs one. A failure of the database looks like a missing session here
    /// (`docs/better-auth.md#database-down`).
    pub(super) fn signed_in(&mut self, is_sensitive: bool) -> Result<Found, Refusal> {
        self.find_session(is_sensitive).ok().flatten().ok_or_else(unauthorized)
    }
}

/// A database that fails after the session was found: nothing catches the exception.
impl From<DatabaseDown> for Refusal {
    fn from(DatabaseDown: DatabaseDown) -> Self {
        Self::Crash
    }
}
