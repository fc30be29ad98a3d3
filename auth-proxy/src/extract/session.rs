//! `Session`, the extractor for the session of a request.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::memo::Head;
use crate::provider::{AuthProxy, Proxy};
use crate::session::SessionData;

/// The session of the visitor, as an extractor.
///
/// It comes from the upstream's `/session`, or from the token with `session.source: local`. All extractors of a request
/// share one lookup, for as long as the request and its credential stay the same. A handler that runs long, such as that
/// of a WebSocket, stops when the session ends: see [`ended`](Self::ended).
///
/// - `Session<Auth>` refuses a request without a session: 401, or 502 to 504 when the upstream is unavailable.
/// - `Option<Session<Auth>>` is `None` for a visitor who is signed out, also with an expired or invalid cookie;
///   an invalid Bearer token and an unavailable upstream stay errors.
/// - `Result<Session<Auth>, AuthError>` leaves the choice to the handler.
///
/// ```
/// # use auth_proxy::{Session, auth_proxy};
/// #[derive(serde::Deserialize)]
/// pub struct AppUser { pub name: String }
///
/// auth_proxy! {
///     pub struct Auth<User = AppUser> { upstream: { base_url: env("AUTH_UPSTREAM_URL") } }
/// }
///
/// async fn me(session: Session<Auth>) -> String { session.user.name.clone() }
/// async fn home(session: Option<Session<Auth>>) -> String {
///     session.map_or("hello, guest".into(), |session| format!("hello, {}", session.user.name))
/// }
/// ```
pub struct Session<P: AuthProxy> {
    data: Arc<SessionData<P::User>>,
    is_stale: bool,
    /// `None` for a session made by hand.
    source: Option<SessionSource<P>>,
}

/// Whom a session can be asked for again.
pub(super) struct SessionSource<P> {
    pub(super) proxy: Proxy<P>,
    pub(super) head: Arc<Head>,
}

impl<P> Clone for SessionSource<P> {
    fn clone(&self) -> Self {
        Self { proxy: self.proxy.clone(), head: Arc::clone(&self.head) }
    }
}

impl<P: AuthProxy> Session<P> {
    pub(super) fn new(
        data: Arc<SessionData<P::User>>,
        is_stale: bool,
        source: Option<SessionSource<P>>,
    ) -> Self {
        Self { data, is_stale, source }
    }

    /// A session made by hand.
    #[cfg(feature = "testing")]
    pub(crate) fn made(data: SessionData<P::User>) -> Self {
        Self::new(Arc::new(data), false, None)
    }

    pub(super) fn source(&self) -> Option<&SessionSource<P>> {
        self.source.as_ref()
    }

    /// The same session, marked as stale.
    #[cfg(feature = "testing")]
    pub(crate) fn made_stale(self) -> Self {
        Self { is_stale: true, ..self }
    }

    /// Whether the session comes from the cache and is older than `session.cache`, because the upstream is unavailable
    /// (`session.stale_if_error`). It may have been revoked meanwhile: refuse what a signed-out user must not do.
    ///
    /// ```
    /// # use auth_proxy::{Policy, Session, Token, auth_proxy};
    /// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
    /// struct Certain;
    ///
    /// impl Policy<Auth> for Certain {
    ///     fn allow(session: &Session<Auth>, _token: Option<&Token<Auth>>) -> bool {
    ///         !session.is_stale()
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.is_stale
    }
}

impl<P: AuthProxy> Deref for Session<P> {
    type Target = SessionData<P::User>;

    fn deref(&self) -> &Self::Target {
        &self.data
    }
}

impl<P: AuthProxy> Clone for Session<P> {
    fn clone(&self) -> Self {
        Self { data: Arc::clone(&self.data), is_stale: self.is_stale, source: self.source.clone() }
    }
}

impl<P: AuthProxy> fmt::Debug for Session<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Session").field(&self.data).finish()
    }
}

impl<P: AuthProxy<User: Serialize>> Serialize for Session<P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.data.serialize(serializer)
    }
}
