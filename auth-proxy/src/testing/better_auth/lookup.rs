//! Finds the session of a request: in the cookie cache or in the database (`docs/better-auth.md#get-session`).

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::cookie_cache::{self, Cached, unix_ms};
use super::cookies;
use super::request::{DatabaseDown, Request};
use super::store::{Session, User};

/// How long the cookie cache lasts when the visitor does not want to be remembered.
const UNREMEMBERED_CACHE: Duration = Duration::from_secs(60);

/// The session of a request and its user, as they are shown.
pub(super) struct Found {
    pub(super) session: Value,
    pub(super) user: Value,
}

impl Found {
    pub(super) fn new(session: &Session, user: &User) -> Self {
        Self { session: session.json(), user: Value::Object(user.fields.clone()) }
    }

    pub(super) fn token(&self) -> &str {
        self.session.get("token").and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn user_id(&self) -> &str {
        self.user.get("id").and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn json(&self) -> Value {
        json!({ "session": self.session, "user": self.user })
    }
}

impl Request<'_> {
    /// The session, with the cookies that a lookup sets. Sensitive routes ask the database whatever the cache says.
    pub(super) fn find_session(&mut self, is_sensitive: bool) -> Result<Option<Found>, DatabaseDown> {
        let token = self.signed_cookie(&self.names.token);
        let cache = self.fake.settings.better_auth.cookie_cache;
        let data_name = self.names.data.clone();
        let data = self.split_cookie(&data_name);
        if data.is_some() && cache.is_none() {
            self.clear_sent(&data_name);
        }
        let Some(token) = token else { return Ok(None) };
        let use_cache = !is_sensitive && !self.has_query("disableCookieCache");
        if let (Some((format, _)), Some(data), true) = (cache, data, use_cache) {
            match cookie_cache::decode(format, &self.fake.settings.secret, &token, &data) {
                Some(Cached { session, user, .. }) => return Ok(Some(Found { session, user })),
                None => self.clear(&data_name),
            }
        }
        self.read_session(&token)
    }

    fn read_session(&mut self, token: &str) -> Result<Option<Found>, DatabaseDown> {
        let is_unremembered = self.signed_cookie(&self.names.dont_remember).is_some();
        let mut database = self.database()?;
        let now = SystemTime::now();
        let found = database.better_auth.session(token).filter(|(session, _)| session.expires >= now);
        let Some((mut session, user)) = found else {
            database.better_auth.remove_session(token);
            drop(database);
            self.clear_session();
            return Ok(None);
        };
        if is_unremembered || self.has_query("disableRefresh") {
            return Ok(Some(Found::new(&session, &user)));
        }
        let settings = &self.fake.settings;
        let is_old = session.expires + settings.better_auth.update_age <= now + settings.max_age;
        if is_old {
            (session.expires, session.updated) = (now + settings.max_age, now);
            database.better_auth.put_session(session.clone());
            drop(database);
            self.set_session(&Found::new(&session, &user), false);
        } else {
            drop(database);
            self.set_cache(&Found::new(&session, &user), false);
        }
        Ok(Some(Found::new(&session, &user)))
    }

    /// Sets the cookies of a session.
    pub(super) fn set_session(&mut self, found: &Found, is_unremembered: bool) {
        let settings = &self.fake.settings;
        let value = cookies::signed(found.token(), &settings.secret);
        let (token, dont_remember) = (self.names.token.clone(), self.names.dont_remember.clone());
        self.set(&token, &value, (!is_unremembered).then_some(settings.max_age));
        if is_unremembered {
            self.set(&dont_remember, &cookies::signed("true", &settings.secret), None);
        } else if self.signed_cookie(&dont_remember).is_some() {
            self.clear(&dont_remember);
        }
        self.set_cache(found, is_unremembered);
    }

    fn set_cache(&mut self, found: &Found, is_unremembered: bool) {
        let settings = &self.fake.settings;
        let Some((format, lifetime)) = settings.better_auth.cookie_cache else { return };
        let max_age = (!is_unremembered).then_some(lifetime);
        let expires = SystemTime::now() + max_age.unwrap_or(UNREMEMBERED_CACHE);
        let cached =
            Cached { session: found.session.clone(), user: found.user.clone(), expires_ms: unix_ms(expires) };
        let value = cookie_cache::encode(format, &settings.secret, &cached);
        let name = self.names.data.clone();
        self.set_split(&name, &value, max_age);
    }

    /// Clears the cookies of the session.
    pub(super) fn clear_session(&mut self) {
        let (token, data) = (self.names.token.clone(), self.names.data.clone());
        let dont_remember = self.names.dont_remember.clone();
        self.clear(&token);
        self.clear(&data);
        self.clear_sent(&data);
        self.clear(&dont_remember);
    }
}
