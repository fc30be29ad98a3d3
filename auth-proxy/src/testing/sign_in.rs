//! Visitors for the tests of a whole app, without a socket or a login server: signed in, signed out, with an invalid
//! token, and while the upstream is down.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use http::header::{AUTHORIZATION, COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use serde::Serialize;

use super::direct::with_expiry;
use super::mint::{object, object_of};
use crate::dialect::RawSession;
use crate::error::{AuthError, Reason};
use crate::extract::{Known, TestVisitor as Planted};
use crate::provider::{AuthProxy, Proxy};
use crate::session::{CachedSession, SessionData, mapping};
use crate::token::Verified;

/// What is wrong with the token of [`Proxy::invalid_visitor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Invalid {
    /// The token has expired: `token_expired`.
    Expired,
    /// No configured secret made the token: `token_tampered`.
    Tampered,
    /// The upstream has ended the session: `session_refused`.
    Ended,
}

/// A visitor for the tests of a whole app, which answers without a socket and without a login server. Made by
/// [`sign_in_as`](Proxy::sign_in_as), [`signed_out`](Proxy::signed_out), [`invalid_visitor`](Proxy::invalid_visitor) and
/// [`upstream_down`](Proxy::upstream_down).
///
/// A request of the visitor has two parts: a session cookie, and an extension that says what the cookie stands for. The
/// cookie alone signs nobody in, and an extension cannot be sent over a network. So it is for requests that a test hands
/// to the app in the same process, as `tower::ServiceExt::oneshot` does. For a client with a connection, use a
/// [`FakeUpstream`](super::FakeUpstream).
///
/// Guards, rules, policies, redirects, extractors, the app's types, the error responses and the marks for caches are those of
/// a real request. Not exercised are: the decryption and verification of a token, the lookup and its caches, revocation,
/// renewed cookies, and the sign-in routes.
///
/// ```
/// use auth_proxy::testing::{assert_outcome, assert_signed_in};
/// use auth_proxy::{Session, User, auth_proxy, errors::Outcome};
/// use axum::{Router, body::Body, http::Request, routing::get};
/// use tower::ServiceExt as _;
///
/// auth_proxy! { struct Auth { upstream: { base_url: "http://auth.internal" } } }
///
/// async fn me(session: Session<Auth>) -> String { session.user.name.clone().unwrap_or_default() }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let auth = Auth::from_env()?;
/// let app: Router = auth.attach(Router::new().route("/me", get(me))).with_state(auth.clone());
///
/// let ada = auth.sign_in_as(User { name: Some("Ada".into()), ..User::default() });
/// assert_signed_in(&app.clone().oneshot(ada.get("/me")).await?);
///
/// let head = ada.sends(Request::head("/me").body(Body::empty())?);
/// assert_signed_in(&app.clone().oneshot(head).await?);
///
/// assert_outcome(&app.oneshot(auth.signed_out().get("/me")).await?, Outcome::Absent);
/// # Ok(())
/// # }
/// ```
pub struct TestVisitor<P> {
    proxy: Proxy<P>,
    planted: Option<Planted>,
    is_bearer: bool,
}

impl<P: AuthProxy> Proxy<P> {
    /// A visitor for tests who is signed in as this user: a value that serializes to what the upstream sends as `user`. It is
    /// deserialized into the app's type of user, as a real one. The session expires in 30 days and has no extra fields.
    ///
    /// Where tokens are decoded, the claims of the visitor's token are those that Auth.js makes of such a user:
    /// [`with_claims`](TestVisitor::with_claims) gives others.
    ///
    /// ```
    /// # use auth_proxy::{auth_proxy, rules::role, testing::assert_signed_in};
    /// # use axum::{Router, routing::get};
    /// # use serde_json::json;
    /// # use tower::ServiceExt as _;
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct AppUser { name: String, role: String }
    ///
    /// auth_proxy! { struct Auth<User = AppUser> { upstream: { base_url: "http://auth.internal" } } }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let auth = Auth::from_env()?;
    /// let app: Router = Router::new().route("/", get(async || "hello")).route_layer(auth.require(role("admin")));
    /// let ada = auth.sign_in_as(AppUser { name: "Ada".into(), role: "admin".into() });
    /// assert_signed_in(&app.clone().oneshot(ada.get("/")).await?);
    ///
    /// // For a type that does not implement `Serialize`, write what the upstream sends.
    /// let ada = auth.sign_in_as(json!({ "name": "Ada", "role": "admin" }));
    /// assert_signed_in(&app.oneshot(ada.get("/")).await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// When the user does not serialize to a JSON object. This is a tool for tests.
    #[must_use]
    #[track_caller]
    pub fn sign_in_as(&self, user: impl Serialize) -> TestVisitor<P> {
        self.sign_in_with(with_expiry(user))
    }

    /// Like [`sign_in_as`](Self::sign_in_as), with an expiry and extra fields of your choice.
    ///
    /// ```
    /// # use auth_proxy::{User, auth_proxy, sessions::SessionData};
    /// # auth_proxy! { struct Auth { upstream: { base_url: "http://auth.internal" } } }
    /// # let auth = Auth::from_env()?;
    /// let mut session = SessionData::new(User::default());
    /// session.extra.insert("plan".to_owned(), "free".into());
    /// let ada = auth.sign_in_with(session);
    /// # let _ = ada;
    /// # Ok::<(), auth_proxy::ConfigError>(())
    /// ```
    ///
    /// # Panics
    /// When the user does not serialize to a JSON object. This is a tool for tests.
    #[must_use]
    #[track_caller]
    pub fn sign_in_with(&self, session: SessionData<impl Serialize>) -> TestVisitor<P> {
        let SessionData { user, expires, extra } = session;
        let raw = RawSession { user: object_of("user", user), expires, extra, needs_refresh: false };
        let mut claims = mapping::claims(self.shared().dialect, &raw);
        claims.retain(|_, value| !value.is_null());
        let token = Arc::new(Verified::made(&claims));
        self.visitor(Ok(Known { session: CachedSession::new(raw, 0), token, has_own_claims: false }))
    }

    /// A visitor for tests who sends no credential.
    #[must_use]
    pub fn signed_out(&self) -> TestVisitor<P> {
        TestVisitor { proxy: self.clone(), planted: None, is_bearer: false }
    }

    /// A visitor for tests whose token is invalid.
    ///
    /// ```
    /// # use auth_proxy::{auth_proxy, errors::Outcome, testing::{Invalid, assert_outcome}};
    /// # use axum::{Router, routing::get};
    /// # use tower::ServiceExt as _;
    /// # auth_proxy! { struct Auth { upstream: { base_url: "http://auth.internal" } } }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let auth = Auth::from_env()?;
    /// let app: Router = Router::new().route("/", get(async || "hello")).route_layer(auth.require_any_session());
    /// let late = auth.invalid_visitor(Invalid::Expired);
    /// assert_outcome(&app.oneshot(late.get("/")).await?, Outcome::Invalid);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn invalid_visitor(&self, why: Invalid) -> TestVisitor<P> {
        let reason = match why {
            Invalid::Expired => Reason::TOKEN_EXPIRED,
            Invalid::Tampered => Reason::TOKEN_TAMPERED,
            Invalid::Ended => Reason::SESSION_REFUSED,
        };
        self.visitor(Err(AuthError::new(reason)))
    }

    /// A visitor for tests of whom nothing can be known, because the upstream cannot be reached: `upstream_unreachable`,
    /// from every extractor and guard.
    ///
    /// With a real outage, an app that decodes tokens itself still answers where it needs the token alone. Test that with
    /// [`FakeUpstream::set_fault`](super::FakeUpstream::set_fault).
    #[must_use]
    pub fn upstream_down(&self) -> TestVisitor<P> {
        let down = AuthError::new(Reason::UPSTREAM_UNREACHABLE);
        self.visitor(Err(down.because("a test says so: `upstream_down()`")))
    }

    fn visitor(&self, known: Result<Known, AuthError>) -> TestVisitor<P> {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let token = format!("test-visitor-{}", COUNT.fetch_add(1, Ordering::Relaxed)).into();
        let planted = Planted { shared: Arc::clone(self.shared()), token, known };
        TestVisitor { proxy: self.clone(), planted: Some(planted), is_bearer: false }
    }
}

impl<P: AuthProxy> TestVisitor<P> {
    /// The same visitor, with these claims in the token: a value that serializes to a JSON object. They count where a real
    /// token would be decoded: with `upstream.secret` or published keys. Elsewhere the claims of a
    /// [`Token`](crate::Token) are those of the session. Changes nothing for a visitor who is not signed in.
    ///
    /// ```
    /// # use auth_proxy::{User, auth_proxy};
    /// # use serde_json::json;
    /// # auth_proxy! { struct Auth { upstream: { base_url: "http://auth.internal" } } }
    /// # let auth = Auth::from_env()?;
    /// let ada = auth.sign_in_as(User::default()).with_claims(json!({ "sub": "1", "plan": "paid" }));
    /// # let _ = ada;
    /// # Ok::<(), auth_proxy::ConfigError>(())
    /// ```
    ///
    /// # Panics
    /// When the claims do not serialize to a JSON object.
    #[must_use]
    #[track_caller]
    pub fn with_claims(mut self, claims: impl Serialize) -> Self {
        if let Some(Planted { known: Ok(known), .. }) = &mut self.planted {
            known.token = Arc::new(Verified::made(&object(claims)));
            known.has_own_claims = true;
        }
        self
    }

    /// The same visitor, with a session that is used in an outage: [`is_stale`](crate::Session::is_stale) is true.
    ///
    /// ```
    /// # use auth_proxy::{Session, User, auth_proxy};
    /// # use axum::{Router, routing::get};
    /// # use tower::ServiceExt as _;
    /// # auth_proxy! { struct Auth { upstream: { base_url: "http://auth.internal" } } }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let auth = Auth::from_env()?;
    /// async fn report(session: Session<Auth>) -> &'static str {
    ///     if session.is_stale() { "read only" } else { "all" }
    /// }
    ///
    /// let app: Router = auth.attach(Router::new().route("/", get(report))).with_state(auth.clone());
    /// let ada = auth.sign_in_as(User::default()).with_stale_session();
    /// let response = app.oneshot(ada.get("/")).await?;
    /// assert_eq!(axum::body::to_bytes(response.into_body(), 100).await?, "read only");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_stale_session(mut self) -> Self {
        if let Some(Planted { known: Ok(known), .. }) = &mut self.planted {
            known.session = known.session.clone().into_stale();
        }
        self
    }

    /// The same visitor, as a program that sends the token in `Authorization: Bearer`.
    ///
    /// ```
    /// # use auth_proxy::{User, auth_proxy};
    /// # use http::header::{AUTHORIZATION, COOKIE};
    /// # auth_proxy! { struct Auth { upstream: { base_url: "http://auth.internal" } } }
    /// # let auth = Auth::from_env()?;
    /// let program = auth.sign_in_as(User::default()).with_bearer();
    /// let headers = program.headers();
    /// assert!(headers.contains_key(AUTHORIZATION) && !headers.contains_key(COOKIE));
    /// # Ok::<(), auth_proxy::ConfigError>(())
    /// ```
    #[must_use]
    pub fn with_bearer(mut self) -> Self {
        self.is_bearer = true;
        self
    }

    /// The request, sent by this visitor. For a visitor who is signed out, it is unchanged. For an app with several
    /// proxies, let the visitors of each send it in turn.
    #[must_use]
    pub fn sends<B>(&self, request: Request<B>) -> Request<B> {
        let (mut parts, body) = request.into_parts();
        if let Some((name, value)) = self.header(Some(&parts)) {
            parts.headers.append(name, value);
        }
        if let Some(planted) = &self.planted {
            planted.insert_into(&mut parts.extensions);
        }
        Request::from_parts(parts, body)
    }

    /// A GET request of this visitor.
    ///
    /// # Panics
    /// When the path is not one. This is a tool for tests.
    #[must_use]
    #[track_caller]
    #[expect(clippy::panic, reason = "a tool for tests, and documented")]
    pub fn get(&self, path: &str) -> Request<Body> {
        match Request::get(path).body(Body::empty()) {
            Ok(request) => self.sends(request),
            Err(error) => panic!("`{path}` is no path of a request: {error}"),
        }
    }

    /// The headers alone: the cookie, or the Bearer token. They name the visitor to the app, and sign nobody in without
    /// the extension that [`sends`](Self::sends) adds.
    #[must_use]
    pub fn headers(&self) -> HeaderMap {
        self.header(None).into_iter().collect()
    }

    fn header(&self, request: Option<&Parts>) -> Option<(HeaderName, HeaderValue)> {
        let token = &self.planted.as_ref()?.token;
        let (name, value) = if self.is_bearer {
            (AUTHORIZATION, format!("Bearer {token}"))
        } else {
            let names = self.proxy.shared().names_of(request);
            (COOKIE, format!("{}={token}", names.iter().next()?.browser))
        };
        Some((name, HeaderValue::try_from(value).ok()?))
    }
}

impl<P> Clone for TestVisitor<P> {
    fn clone(&self) -> Self {
        Self { proxy: self.proxy.clone(), planted: self.planted.clone(), is_bearer: self.is_bearer }
    }
}

impl<P> fmt::Debug for TestVisitor<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestVisitor")
            .field("token", &self.planted.as_ref().map(|planted| &planted.token))
            .finish_non_exhaustive()
    }
}
