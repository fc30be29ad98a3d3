//! The builder of the fake upstream: its options, their defaults, and the start.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::dispatch;
use super::fake::FakeUpstream;
use super::mint;
use super::port::Port;
use super::state::{Account, Fake, Settings};
use crate::config::Strategy;

/// How long a session of Auth.js lasts unless configured (`docs/authjs.md#session-max-age`).
const MAX_AGE: Duration = Duration::from_secs(30 * 24 * 3600);

/// Configures and starts a [`FakeUpstream`].
///
/// ```
/// use auth_proxy::testing::FakeUpstream;
/// use serde_json::json;
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let upstream = FakeUpstream::builder()
///     .user("ada", "secret", json!({ "sub": "1", "name": "Ada", "role": "admin" }))
///     .session_claims(["role"])
///     .start()
///     .await?;
/// # let _ = upstream;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct FakeUpstreamBuilder {
    settings: Settings,
}

impl FakeUpstream {
    /// Starts a fake with the user `demo`.
    ///
    /// # Errors
    /// When no port of 127.0.0.1 is free.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Returns a builder with the default settings.
    #[must_use]
    pub fn builder() -> FakeUpstreamBuilder {
        FakeUpstreamBuilder {
            settings: Settings {
                base_path: "/api/auth".to_owned(),
                secret: "a fake secret that is long enough".to_owned(),
                cookie_name: "authjs.session-token".to_owned(),
                strategy: Strategy::Jwt,
                max_age: MAX_AGE,
                accounts: Vec::new(),
                robo: false,
                session_claims: Vec::new(),
            },
        }
    }
}

impl FakeUpstreamBuilder {
    /// Imitates Robo.js with `@robojs/auth` where it differs from Auth.js:
    ///
    /// - Unknown paths are answered with 200 and a JSON string, other methods with 405, `HEAD` with 400.
    /// - There is no sign-out page.
    /// - A database sign-in sets two cookies of the same name, and the last one counts. The first opens no session.
    ///   With `X-Auth-Return-Redirect` only the first is sent, so the user stays signed out: Robo adds the second to
    ///   redirects only.
    /// - A request with a malformed forwarded header is never answered.
    /// - Users register at `/signup`.
    #[must_use]
    pub fn robo(mut self) -> Self {
        self.settings.robo = true;
        self
    }

    /// The path below which the routes are served. The default is `/api/auth`.
    #[must_use]
    pub fn base_path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.settings.base_path);
        self
    }

    /// The secret that tokens are encrypted with.
    #[must_use]
    pub fn secret(mut self, secret: &str) -> Self {
        secret.clone_into(&mut self.settings.secret);
        self
    }

    /// The name of the session cookie. The default is `authjs.session-token`.
    #[must_use]
    pub fn cookie_name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.settings.cookie_name);
        self
    }

    /// How sessions are kept. The default is as tokens, [`Strategy::Jwt`].
    #[must_use]
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.settings.strategy = strategy;
        self
    }

    /// How long sessions last. The default is 30 days.
    #[must_use]
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.settings.max_age = max_age;
        self
    }

    /// Adds claims to `session.user`, under their own names, as a `callbacks.session` of the upstream would.
    /// `id` is the user's `sub`.
    ///
    /// Without this, `session.user` holds what the default callback of a real server returns, whatever is in the
    /// token: name, email and image. With [`robo`](Self::robo) it holds `emailVerified` instead of the image, and
    /// in a database session also the id. A test that reads `session.user.role` therefore passes only if the real
    /// server's callback adds the role too:
    ///
    /// ```
    /// # use auth_proxy::testing::FakeUpstream;
    /// # use serde_json::json;
    /// // session({ session, token }) { session.user.id = token.sub; session.user.role = token.role; return session }
    /// let upstream = FakeUpstream::builder()
    ///     .user("ada", "secret", json!({ "sub": "1", "name": "Ada", "role": "admin" }))
    ///     .session_claims(["id", "role"]);
    /// ```
    #[must_use]
    pub fn session_claims<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.settings.session_claims.extend(names.into_iter().map(Into::into));
        self
    }

    /// Adds a user. `claims` is a JSON object with `sub`, `name`, `email` and any other claim of the token.
    /// [`session_claims`](Self::session_claims) decides which of them `session.user` holds.
    ///
    /// # Panics
    /// If the claims are not a JSON object. This is a tool for tests.
    #[must_use]
    #[track_caller]
    pub fn user(mut self, login: &str, password: &str, claims: Value) -> Self {
        let claims = mint::object(claims);
        self.settings.accounts.push(Account {
            login: login.to_owned(),
            password: password.to_owned(),
            claims,
        });
        self
    }

    /// Starts the fake on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(self) -> io::Result<FakeUpstream> {
        let demo = json!({ "sub": "1", "name": "Demo", "email": "demo@example.com" });
        let builder = if self.settings.accounts.is_empty() { self.user("demo", "demo", demo) } else { self };
        let fake = Arc::new(Fake::new(builder.settings));
        let port = Port::open(Arc::clone(&fake), dispatch::router(Arc::clone(&fake)))?;
        Ok(FakeUpstream::new(fake, port))
    }
}

impl fmt::Debug for FakeUpstreamBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeUpstreamBuilder")
            .field("base_path", &self.settings.base_path)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "the claims must be a JSON object, not an array")]
    fn builder_user_panics_if_claims_are_not_an_object() {
        let _ = FakeUpstream::builder().user("ada", "secret", json!(["admin"]));
    }
}
