//! The builder of the fake upstream: its options, their defaults, and the start.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::account::Account;
use super::better_auth;
use super::dispatch;
use super::fake::FakeUpstream;
use super::mint;
use super::port::Port;
use super::state::{Fake, Personality, Settings};
use crate::config::{Strategy, TokenFormat};

/// How long a session of Auth.js lasts unless configured (`docs/authjs.md#session-max-age`).
const MAX_AGE: Duration = Duration::from_secs(30 * 24 * 3600);

/// The name of Auth.js's session cookie unless configured.
const COOKIE: &str = auth_proxy_rules::AUTHJS_COOKIE;

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
    /// The defaults of these depend on the server that the fake imitates.
    cookie_name: Option<String>,
    max_age: Option<Duration>,
    address: SocketAddr,
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
                cookie_name: COOKIE.to_owned(),
                strategy: Strategy::Jwt,
                max_age: MAX_AGE,
                accounts: Vec::new(),
                personality: Personality::Authjs,
                session_claims: Vec::new(),
                better_auth: better_auth::Options::default(),
            },
            cookie_name: None,
            max_age: None,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        }
    }
}

impl FakeUpstreamBuilder {
    /// Behaves like next-auth 4, for an app with `kind: next_auth_v4`: its cookie names and tokens, `{}` where there is no
    /// session, and `json=true` in a form in place of `X-Auth-Return-Redirect`.
    #[must_use]
    pub fn next_auth_v4(mut self) -> Self {
        self.settings.personality = Personality::NextAuthV4;
        self
    }

    /// The address to listen on. The default is a free port of 127.0.0.1.
    #[must_use]
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

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
        self.settings.personality = Personality::Robo;
        self
    }

    /// Imitates Better Auth 1.7 with email and password, a database and no plugin:
    ///
    /// - Users sign in at `/sign-in/email` and register at `/sign-up/email`. The email of a [`user`](Self::user) is the
    ///   claim `email`, or the login if it is an address.
    /// - Lookups go to `/get-session`. All claims of a user are in the session: `sub` is its `id`, `picture` its `image`.
    /// - A request that has a cookie and is no `GET` needs an `Origin` that is the fake's own or one of the
    ///   [`trusted_origins`](Self::trusted_origins).
    /// - The cookie cache is off, as is that of a real server, unless [`cookie_cache`](Self::cookie_cache) is set.
    /// - With a [`cookie_name`](Self::cookie_name) that begins with `__Secure-`, all cookies have this prefix and `Secure`.
    ///
    /// It has no rate limit; [`Fault::RateLimited`](super::Fault::RateLimited) is the response of one. The options
    /// [`strategy`](Self::strategy) and [`session_claims`](Self::session_claims) are not for it.
    /// [`FakeUpstream::visitor`] signs a visitor in without a request.
    ///
    /// ```
    /// # use auth_proxy::{auth_proxy, options::UpstreamKind, testing::FakeUpstream};
    /// # auth_proxy! { struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL") } } }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let upstream = FakeUpstream::builder().better_auth().start().await?;
    /// let auth = Auth::builder()
    ///     .upstream_base_url(upstream.url())
    ///     .upstream_kind(UpstreamKind::BetterAuth)
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn better_auth(mut self) -> Self {
        self.settings.personality = Personality::BetterAuth;
        self
    }

    /// Turns on the cookie cache of [`better_auth`](Self::better_auth), in this format and for this time.
    ///
    /// # Panics
    /// When the format is not one of the cookie cache. This is a tool for tests.
    #[must_use]
    #[track_caller]
    pub fn cookie_cache(mut self, format: TokenFormat, lifetime: Duration) -> Self {
        assert!(format.is_cookie_cache(), "`{format}` is no format of the cookie cache");
        self.settings.better_auth.cookie_cache = Some((format, lifetime));
        self
    }

    /// The time after which a lookup of [`better_auth`](Self::better_auth) extends a session. The default is a day;
    /// with zero every lookup extends it.
    #[must_use]
    pub fn update_age(mut self, age: Duration) -> Self {
        self.settings.better_auth.update_age = age;
        self
    }

    /// Adds origins that [`better_auth`](Self::better_auth) trusts, as its option `trustedOrigins`. `*` stands for any
    /// text, as in `http://127.0.0.1:*`.
    #[must_use]
    pub fn trusted_origins<T: Into<String>>(mut self, origins: impl IntoIterator<Item = T>) -> Self {
        self.settings.better_auth.trusted_origins.extend(origins.into_iter().map(Into::into));
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

    /// The name of the session cookie. The default is `authjs.session-token`, or `better-auth.session_token`.
    #[must_use]
    pub fn cookie_name(mut self, name: &str) -> Self {
        self.cookie_name = Some(name.to_owned());
        self
    }

    /// How sessions are kept. The default is as tokens, [`Strategy::Jwt`].
    #[must_use]
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.settings.strategy = strategy;
        self
    }

    /// How long sessions last. The default is 30 days, or 7 days for Better Auth.
    #[must_use]
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
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

    /// Starts the fake: on a free port of 127.0.0.1, or at the [`address`](Self::address).
    ///
    /// # Errors
    /// When the port is in use, or no port is free.
    pub async fn start(self) -> io::Result<FakeUpstream> {
        let demo = json!({ "sub": "1", "name": "Demo", "email": "demo@example.com" });
        let builder = if self.settings.accounts.is_empty() { self.user("demo", "demo", demo) } else { self };
        let mut settings = builder.settings;
        let (cookie_name, max_age) = match settings.personality {
            Personality::BetterAuth => (better_auth::COOKIE, better_auth::MAX_AGE),
            Personality::NextAuthV4 => (auth_proxy_rules::NEXT_AUTH_V4_COOKIE, MAX_AGE),
            Personality::Authjs | Personality::Robo => (COOKIE, MAX_AGE),
        };
        settings.cookie_name = builder.cookie_name.unwrap_or_else(|| cookie_name.to_owned());
        settings.max_age = builder.max_age.unwrap_or(max_age);
        let fake = Arc::new(Fake::new(settings));
        let port = Port::open(builder.address, Arc::clone(&fake), dispatch::router(Arc::clone(&fake)))?;
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
