use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::HeaderMap;
use http::request::Parts;
use serde::{Serialize, Serializer};

use super::{SessionData, Visit};
use crate::error::{AuthError, Reason};
use crate::provider::{Provider, Provides, Proxy};

/// The session of the visitor, as an extractor.
///
/// Comes from the upstream's `/session`, or from the token with `session.source: local`. All
/// extractors of a request share one lookup.
///
/// - `Session<Auth>` refuses a request without a session: 401, or 502 to 504 when nobody can tell.
/// - `Option<Session<Auth>>` is `None` for a visitor who is signed out, also for one whose cookie is
///   no good any more; an invalid Bearer token and an unavailable upstream stay errors.
/// - `Result<Session<Auth>, AuthError>` leaves the choice to the handler.
///
/// ```
/// # use auth_proxy::{auth_proxy, Session};
/// #[derive(serde::Deserialize)]
/// pub struct AppUser { pub name: String }
///
/// auth_proxy! {
///     pub struct Auth<User = AppUser> { upstream: { base_url: env("AUTH_UPSTREAM_URL") } }
/// }
///
/// async fn me(session: Session<Auth>) -> String { session.user.name.clone() }
/// async fn home(session: Option<Session<Auth>>) -> String {
///     session.map_or("hello, stranger".into(), |session| format!("hello, {}", session.user.name))
/// }
/// ```
pub struct Session<P: Provider> {
    data: Arc<SessionData<P::User>>,
    is_stale: bool,
}

impl<P: Provider> Session<P> {
    pub(crate) fn new(data: Arc<SessionData<P::User>>, is_stale: bool) -> Self {
        Self { data, is_stale }
    }

    /// The same, used past its time.
    #[cfg(feature = "testing")]
    pub(crate) fn made_stale(self) -> Self {
        Self { is_stale: true, ..self }
    }

    /// Whether it is a remembered one, used past `session.cache` because the upstream is in trouble
    /// (`session.stale_if_error`): it may have been revoked meanwhile. What must not be done for somebody
    /// who was signed out a while ago can be refused by it.
    ///
    /// ```
    /// # use auth_proxy::{auth_proxy, Policy, Session, Token};
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

impl<P: Provider> Deref for Session<P> {
    type Target = SessionData<P::User>;

    fn deref(&self) -> &Self::Target {
        &self.data
    }
}

impl<P: Provider> Clone for Session<P> {
    fn clone(&self) -> Self {
        Self { data: Arc::clone(&self.data), is_stale: self.is_stale }
    }
}

impl<P: Provider> fmt::Debug for Session<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Session").field(&self.data).finish()
    }
}

impl<P: Provider<User: Serialize>> Serialize for Session<P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.data.serialize(serializer)
    }
}

impl<P: Provider, S: Provides<P> + Send + Sync> FromRequestParts<S> for Session<P> {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AuthError> {
        let visit = Visit::of(state.provide().proxy().clone(), parts);
        visit.session().await?.ok_or_else(|| AuthError::new(Reason::SESSION_ABSENT))
    }
}

impl<P: Provider, S: Provides<P> + Send + Sync> OptionalFromRequestParts<S> for Session<P> {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, AuthError> {
        let visit = Visit::of(state.provide().proxy().clone(), parts);
        optional(visit.session().await)
    }
}

/// A visitor who is signed out is `None`; what nobody can tell stays an error.
pub(crate) fn optional<T>(found: Result<Option<T>, AuthError>) -> Result<Option<T>, AuthError> {
    match found {
        Err(error) if error.is_signed_out() => Ok(None),
        found => found,
    }
}

impl<P: Provider> Proxy<P> {
    /// The session of a request, outside of handlers. `None` when no credential was sent, or the
    /// upstream says that nobody is signed in.
    ///
    /// Each call is a lookup of its own; inside handlers take [`Session`] as an argument. The peer is not
    /// known here, so that `trusted_proxies` are not believed: set `public_url` where the upstream goes by it.
    ///
    /// # Errors
    /// [`AuthError`]: invalid, unavailable, or a `Host` that is none.
    pub async fn session(&self, headers: &HeaderMap) -> Result<Option<Session<P>>, AuthError> {
        Visit::of_headers(self.clone(), headers).session().await
    }
}
