//! Sessions, tokens and guards made by hand, to call a handler directly.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::Map;

use crate::extract::{Session, Token};
use crate::guard::{Policy, RequireSession};
use crate::provider::AuthProxy;
use crate::session::SessionData;

/// How long a session of Auth.js lasts by default (`docs/authjs.md#session-max-age`).
const MAX_AGE: Duration = Duration::from_secs(30 * 24 * 3600);

/// A session of this user, to call a handler or a [`Policy`] with. It expires in 30 days and has no extra fields; use
/// [`session_of`] to choose both.
///
/// ```
/// # use auth_proxy::{Policy, Session, Token, auth_proxy, require_session, testing};
/// #[derive(serde::Deserialize)]
/// struct AppUser { name: String, role: Option<String> }
///
/// auth_proxy! { struct Auth<User = AppUser> { upstream: { base_url: env("AUTH_UPSTREAM_URL") } } }
///
/// struct Admin;
///
/// impl Policy<Auth> for Admin {
///     fn allow(session: &Session<Auth>, _token: Option<&Token<Auth>>) -> bool {
///         session.user.role.as_deref() == Some("admin")
///     }
/// }
///
/// #[require_session(Auth, Admin)]
/// async fn reports(session: Session<Auth>) -> String { format!("the figures for {}", session.user.name) }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let ada = |role: Option<&str>| AppUser { name: "Ada".into(), role: role.map(str::to_owned) };
/// assert!(Admin::allow(&testing::session(ada(Some("admin"))), None));
/// assert!(!Admin::allow(&testing::session(ada(None)), None));
///
/// // The first argument is the one that the attribute inserts.
/// let page = reports(testing::require_session(), testing::session(ada(None))).await;
/// assert_eq!(page, "the figures for Ada");
/// # }
/// ```
#[must_use]
pub fn session<P: AuthProxy>(user: P::User) -> Session<P> {
    session_of(with_expiry(user))
}

/// A session of this user that expires in 30 days.
pub(super) fn with_expiry<U>(user: U) -> SessionData<U> {
    SessionData { user, expires: Some(SystemTime::now() + MAX_AGE), extra: Map::new() }
}

/// A session with an expiry and extra fields of your choice.
///
/// ```
/// # use auth_proxy::{User, auth_proxy, testing, sessions::SessionData};
/// # auth_proxy! { struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL") } } }
/// let mut data = SessionData::new(User::default());
/// data.extra.insert("plan".to_owned(), "free".into());
/// let session = testing::session_of::<Auth>(data);
/// assert_eq!(session.extra["plan"], "free");
/// ```
#[must_use]
pub fn session_of<P: AuthProxy>(data: SessionData<P::User>) -> Session<P> {
    Session::made(data)
}

/// The same session marked as stale: [`Session::is_stale`] is true, as when the upstream fails and
/// `session.stale_if_error` applies.
///
/// ```
/// # use auth_proxy::{User, auth_proxy, testing};
/// # auth_proxy! { struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL") } } }
/// assert!(testing::stale(testing::session::<Auth>(User::default())).is_stale());
/// ```
#[must_use]
pub fn stale<P: AuthProxy>(session: Session<P>) -> Session<P> {
    session.made_stale()
}

/// A token with these claims, to call a handler or a [`Policy`] with.
///
/// ```
/// # use auth_proxy::{Claims, Token, auth_proxy, testing};
/// # auth_proxy! { struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL") } } }
/// async fn subject(token: Token<Auth>) -> String { token.sub.clone().unwrap_or_default() }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let claims = Claims { sub: Some("1".into()), ..Claims::default() };
/// assert_eq!(subject(testing::token(claims)).await, "1");
/// # }
/// ```
#[must_use]
pub fn token<P: AuthProxy>(claims: P::Claims) -> Token<P> {
    Token::new(Arc::new(claims))
}

/// The argument that [`#[require_session]`](macro@crate::require_session) inserts as a handler's first. Pass it to call
/// the handler directly. The types of proxy and policy are inferred from the handler.
///
/// The handler runs without a session check and without asking the policy. To test that the guard refuses, send a
/// request through the router, with [`FakeUpstream::cookie`](super::FakeUpstream::cookie); to test the policy, call its
/// [`allow`](Policy::allow).
///
/// ```
/// # use auth_proxy::{auth_proxy, require_session, testing};
/// # auth_proxy! { struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL") } } }
/// #[require_session]
/// async fn dashboard() -> &'static str { "hello" }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(dashboard(testing::require_session()).await, "hello");
/// # }
/// ```
#[must_use]
pub fn require_session<P: AuthProxy, A: Policy<P>>() -> RequireSession<P, A> {
    RequireSession::granted()
}
