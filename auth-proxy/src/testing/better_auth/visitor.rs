//! A visitor who is signed in without a request, and what can be wrong with the visitor's cookies.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde_json::{Map, Value};

use super::cookie_cache::{self, Cached, unix_ms};
use super::cookies::{self, Names};
use crate::testing::fake::FakeUpstream;
use crate::testing::mint;
use crate::testing::state::Fake;

/// A visitor who is signed in at a fake Better Auth server, with the cookies of the browser:
/// [`FakeUpstream::visitor`].
///
/// [`expire`](Self::expire) and [`revoke`](Self::revoke) change the session at the server. The other methods return the
/// same visitor with other cookies. Those of `session_data` need
/// [`cookie_cache`](super::super::FakeUpstreamBuilder::cookie_cache).
#[derive(Clone)]
pub struct Visitor {
    fake: Arc<Fake>,
    /// The token of the session, without its signature.
    token: String,
    /// The value of the session cookie.
    signed: String,
    /// The value of the cookie cache, if there is one.
    data: Option<String>,
}

impl FakeUpstream {
    /// Signs in a visitor with these claims, a JSON object, at a fake [`better_auth`] server. A user with the same `sub`
    /// gets the claims.
    ///
    /// ```
    /// # use auth_proxy::testing::FakeUpstream;
    /// # use serde_json::json;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let upstream = FakeUpstream::builder().better_auth().start().await?;
    /// let ada = upstream.visitor(&json!({ "sub": "1", "name": "Ada" }));
    /// assert!(ada.cookie().starts_with("better-auth.session_token="));
    /// ada.revoke(); // as if she had signed out elsewhere
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// When the fake is not a Better Auth server, or the claims are not a JSON object. This is a tool for tests.
    ///
    /// [`better_auth`]: super::super::FakeUpstreamBuilder::better_auth
    #[must_use]
    #[track_caller]
    pub fn visitor(&self, claims: &impl Serialize) -> Visitor {
        assert!(
            self.fake().settings.is_better_auth(),
            "only a fake of Better Auth has visitors: use `cookie`"
        );
        Visitor::new(self.fake(), &mint::object(claims))
    }
}

impl Visitor {
    pub(in crate::testing) fn new(fake: &Arc<Fake>, claims: &Map<String, Value>) -> Self {
        let settings = &fake.settings;
        let (session, user) = {
            let mut memory = fake.memory();
            let user = memory.better_auth.put_user(claims);
            (memory.better_auth.add_session(user.id(), settings.max_age), user)
        };
        let data = settings.better_auth.cookie_cache.map(|(format, lifetime)| {
            let expires_ms = unix_ms(SystemTime::now() + lifetime);
            let cached = Cached { session: session.json(), user: Value::Object(user.fields), expires_ms };
            cookie_cache::encode(format, &settings.secret, &cached)
        });
        let signed = cookies::signed(&session.token, &settings.secret);
        Self { fake: Arc::clone(fake), token: session.token, signed, data }
    }

    /// The `Cookie` header of the browser.
    #[must_use]
    pub fn cookie(&self) -> String {
        let settings = &self.fake.settings;
        let names = Names::of(&settings.cookie_name);
        let max_age = settings.better_auth.cookie_cache.map(|(_, lifetime)| lifetime);
        let data = self.data.iter().flat_map(|data| cookies::chunks(&names.data, data, max_age));
        std::iter::once((names.token, self.signed.clone()))
            .chain(data)
            .map(|(name, value)| format!("{name}={}", cookies::encoded(&value)))
            .collect::<Vec<_>>()
            .join("; ")
    }

    /// Ends the session at the server by its time: `expiresAt` is in the past.
    pub fn expire(&self) {
        let mut memory = self.fake.memory();
        let sessions = memory.better_auth.sessions.iter_mut();
        for session in sessions.filter(|session| session.token == self.token) {
            session.expires = SystemTime::now() - Duration::from_secs(1);
        }
    }

    /// Removes the session at the server, as when the visitor signs out elsewhere.
    pub fn revoke(&self) {
        self.fake.memory().better_auth.remove_session(&self.token);
    }

    /// The visitor with another token in the session cookie, under the old signature.
    #[must_use]
    pub fn with_tampered_token(mut self) -> Self {
        self.signed = tampered(&self.signed, 0);
        self
    }

    /// The visitor without the cookie cache, as after its end in the browser.
    #[must_use]
    pub fn without_session_data(mut self) -> Self {
        self.data = None;
        self
    }

    /// The visitor with the cookie cache of another one.
    #[must_use]
    pub fn with_session_data_of(mut self, other: &Self) -> Self {
        self.data.clone_from(&other.data);
        self
    }

    /// The visitor with a cookie cache whose time is over, which the browser sends nevertheless.
    #[must_use]
    pub fn with_expired_session_data(mut self) -> Self {
        let settings = &self.fake.settings;
        let format = settings.better_auth.cookie_cache.map(|(format, _)| format);
        self.data = format.zip(self.data.take()).and_then(|(format, data)| {
            let cached = cookie_cache::decode(format, &settings.secret, &self.token, &data)?;
            let expires_ms = unix_ms(SystemTime::now() - Duration::from_secs(60));
            Some(cookie_cache::encode(format, &settings.secret, &Cached { expires_ms, ..cached }))
        });
        self
    }

    /// The visitor with a cookie cache in which one character is another one.
    #[must_use]
    pub fn with_tampered_session_data(mut self) -> Self {
        self.data = self.data.map(|data| tampered(&data, data.len() / 2));
        self
    }
}

/// Prints no cookie.
impl fmt::Debug for Visitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Visitor(..)")
    }
}

/// The text with another letter at this place.
fn tampered(text: &str, at: usize) -> String {
    let other = |c: char| if c == 'A' { 'B' } else { 'A' };
    text.chars().enumerate().map(|(n, c)| if n == at { other(c) } else { c }).collect()
}
