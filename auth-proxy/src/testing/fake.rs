use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fmt, io};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::Response;
use http::{HeaderMap, Method, Uri};
use serde_json::{Map, Value, json};

use super::port::Port;
use super::{Fault, robo, routes};
use crate::config::Strategy;

/// An Auth.js server to test against, with a credentials provider, on a port of its own.
///
/// Answers `providers`, `csrf`, `signin`, `callback/credentials`, `session` and `signout` as
/// `@auth/core` does, cookies and tokens included, and 400 to everything else. The user `demo` with
/// the password `demo` is there unless others are given. It fails in all the ways of [`Fault`] when it is
/// told to, and stops when it is dropped.
pub struct FakeUpstream {
    state: Arc<Fake>,
    url: String,
    port: Port,
}

/// What the fake is set to and what it has seen.
pub(super) struct Fake {
    pub(super) base_path: String,
    pub(super) secret: String,
    pub(super) cookie_name: String,
    pub(super) strategy: Strategy,
    pub(super) max_age: Duration,
    pub(super) accounts: Vec<Account>,
    pub(super) robo: bool,
    pub(super) session_claims: Vec<String>,
    memory: Mutex<Memory>,
}

#[derive(Default)]
pub(super) struct Memory {
    /// Database sessions: the cookie's value, and the claims of the user.
    pub(super) sessions: HashMap<String, Map<String, Value>>,
    /// Who registered.
    pub(super) accounts: Vec<Account>,
    seen: Vec<SeenRequest>,
}

#[derive(Clone)]
pub(super) struct Account {
    pub(super) login: String,
    pub(super) password: String,
    pub(super) claims: Map<String, Value>,
}

/// A request as it arrived at the fake.
#[derive(Clone, Debug)]
pub struct SeenRequest {
    /// The method.
    pub method: Method,
    /// The target, byte for byte.
    pub uri: Uri,
    /// The headers.
    pub headers: HeaderMap,
}

impl FakeUpstream {
    /// Starts one with the user `demo`.
    ///
    /// # Errors
    /// When no port of 127.0.0.1 can be had.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Sets one up.
    #[must_use]
    pub fn builder() -> FakeUpstreamBuilder {
        FakeUpstreamBuilder {
            base_path: "/api/auth".to_owned(),
            secret: "a fake secret that is long enough".to_owned(),
            cookie_name: "authjs.session-token".to_owned(),
            strategy: Strategy::Jwt,
            max_age: Duration::from_secs(30 * 24 * 3600),
            accounts: Vec::new(),
            robo: false,
            session_claims: Vec::new(),
        }
    }

    /// Its address, such as `http://127.0.0.1:49152`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The secret that it encrypts tokens with.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.state.secret
    }

    pub(super) fn fake(&self) -> &Fake {
        &self.state
    }

    /// Every request so far, oldest first.
    #[must_use]
    pub fn seen(&self) -> Vec<SeenRequest> {
        self.state.memory().seen.clone()
    }

    /// How often `/session` was asked.
    #[must_use]
    pub fn lookups(&self) -> usize {
        let session = format!("{}/session", self.state.base_path);
        self.state.memory().seen.iter().filter(|seen| seen.uri.path() == session).count()
    }

    /// Forgets the requests so far, which a long run has too many of.
    pub fn forget_seen(&self) {
        self.state.memory().seen = Vec::new();
    }

    /// Fails in this way from now on, or no longer. Whatever is connected is cut off, as by a restart, so
    /// that every request meets the new state; all of it has happened when this is done.
    ///
    /// # Errors
    /// When somebody else has taken the port since it was [`Fault::Refused`].
    pub async fn set_fault(&self, fault: Option<Fault>) -> io::Result<()> {
        self.port.set_fault(fault).await
    }

    /// Connections that are open now, whether a request is under way on them or not.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.port.open_connections()
    }
}

impl fmt::Debug for FakeUpstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeUpstream").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Sets up a [`FakeUpstream`].
#[derive(Clone)]
pub struct FakeUpstreamBuilder {
    base_path: String,
    secret: String,
    cookie_name: String,
    strategy: Strategy,
    max_age: Duration,
    accounts: Vec<Account>,
    robo: bool,
    session_claims: Vec<String>,
}

impl FakeUpstreamBuilder {
    /// Answers as Robo.js with `@robojs/auth` does where that is not as Auth.js does: unknown paths
    /// are 200 with a JSON string, other methods 405, HEAD is 400, there is no sign-out page, a
    /// database sign-in sets two cookies of one name of which the last counts, and with
    /// `X-Auth-Return-Redirect` only the first, which signs nobody in (Robo adds the other to redirects
    /// only), a malformed forwarded header is never answered, and people register at `/signup`.
    #[must_use]
    pub fn robo(mut self) -> Self {
        self.robo = true;
        self
    }

    /// Where the routes live; `/api/auth` unless set.
    #[must_use]
    pub fn base_path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.base_path);
        self
    }

    /// The secret.
    #[must_use]
    pub fn secret(mut self, secret: &str) -> Self {
        secret.clone_into(&mut self.secret);
        self
    }

    /// The name of the session cookie; `authjs.session-token` unless set.
    #[must_use]
    pub fn cookie_name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.cookie_name);
        self
    }

    /// How sessions are kept; as tokens unless set.
    #[must_use]
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// How long sessions last; 30 days unless set.
    #[must_use]
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// Adds claims to `session.user`, under their own names, as a `callbacks.session` at the upstream would:
    /// `id` is the user's `sub`.
    ///
    /// Without it `session.user` shows what a real server's default callback shows, whatever is in the token: name,
    /// email and image; [`robo`](Self::robo) shows `emailVerified` in place of the image, and the id in a
    /// database session. So a test with `session.user.role` passes only where the real server's callback adds the
    /// role too:
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
        self.session_claims.extend(names.into_iter().map(Into::into));
        self
    }

    /// Adds a user. `claims` is a JSON object with `sub`, `name`, `email`, and whatever else is to be
    /// in the token. Which of them `session.user` shows is what [`session_claims`](Self::session_claims) says.
    #[must_use]
    pub fn user(mut self, login: &str, password: &str, claims: Value) -> Self {
        let claims = match claims {
            Value::Object(claims) => claims,
            _ => Map::new(),
        };
        self.accounts.push(Account { login: login.to_owned(), password: password.to_owned(), claims });
        self
    }

    /// Starts it on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(self) -> io::Result<FakeUpstream> {
        let demo = json!({ "sub": "1", "name": "Demo", "email": "demo@example.com" });
        let builder = if self.accounts.is_empty() { self.user("demo", "demo", demo) } else { self };
        let state = Arc::new(Fake {
            base_path: builder.base_path,
            secret: builder.secret,
            cookie_name: builder.cookie_name,
            strategy: builder.strategy,
            max_age: builder.max_age,
            accounts: builder.accounts,
            robo: builder.robo,
            session_claims: builder.session_claims,
            memory: Mutex::default(),
        });
        let app = Router::new().fallback(handle).with_state(Arc::clone(&state));
        let port = Port::open(Arc::clone(&state), app)?;
        Ok(FakeUpstream { state, url: format!("http://{}", port.address()), port })
    }
}

impl fmt::Debug for FakeUpstreamBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeUpstreamBuilder").field("base_path", &self.base_path).finish_non_exhaustive()
    }
}

impl Fake {
    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn handle(State(fake): State<Arc<Fake>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let seen = SeenRequest { method: parts.method, uri: parts.uri, headers: parts.headers };
    // As Auth.js on Express: whatever is larger is none of its forms.
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_else(|_| Bytes::new());
    answer(&fake, seen, &body).await
}

/// Remembers and answers a request.
pub(super) async fn answer(fake: &Fake, seen: SeenRequest, body: &[u8]) -> Response {
    fake.memory().seen.push(seen.clone());
    if fake.robo && robo::never_answers(&seen) {
        std::future::pending::<()>().await;
    }
    let own = if fake.robo { robo::answer(fake, &seen) } else { None };
    own.unwrap_or_else(|| routes::answer(fake, &seen, body))
}
