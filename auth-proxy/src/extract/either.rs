//! `Either`, the extractor for an app that accepts the sessions of two proxies.

use std::ops::Deref;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::response::IntoResponse;
use http::request::Parts;
use serde::{Serialize, Serializer};

use super::Session;
use crate::error::{AuthError, Outcome};
use crate::provider::AuthProxy;
use crate::session::SessionData;

/// An extractor of two proxies, of which the first that finds something counts: for the time in which an app accepts
/// the sessions of an old and of a new upstream.
///
/// `Either<Session<New>, Session<Old>>` is [`Left`](Self::Left) with the session of `New` if there is one, else
/// [`Right`](Self::Right) with that of `Old`. It works for [`Token`](crate::Token), [`RawToken`](crate::RawToken) and
/// [`RequireSession`](crate::RequireSession) too, and `Option<Either<..>>` is `None` for a visitor who is signed out at
/// both.
///
/// An outage of one proxy is never a sign-out: if `New` is unavailable and `Old` has no session, the request is refused
/// with the outage. If the visitor is signed out at both, the error of `New` counts, so a guard sends visitors to its
/// sign-in page.
///
/// The state has both proxies, and each has its own `base_path`:
///
/// ```
/// use auth_proxy::{Either, Session, auth_proxy};
/// use axum::{Router, extract::FromRef, routing::get};
///
/// auth_proxy! { pub struct New { upstream: { base_url: "http://better-auth.internal", kind: better_auth } } }
/// auth_proxy! { pub struct Old { base_path: "/api/old", upstream: { base_url: "http://next.internal", kind: next_auth_v4 } } }
///
/// #[derive(Clone, FromRef)]
/// struct App { new: New, old: Old }
///
/// async fn me(session: Either<Session<New>, Session<Old>>) -> String {
///     session.user.name.clone().unwrap_or_default()
/// }
///
/// # let (new, old) = (New::from_env()?, Old::from_env()?);
/// let router = Router::new().route("/me", get(me));
/// let app: Router = new.attach(old.attach(router)).with_state(App { new, old });
/// # Ok::<(), auth_proxy::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Either<L, R> {
    /// What the first extractor found.
    Left(L),
    /// What the second extractor found.
    Right(R),
}

/// The error of an extractor of this crate.
pub trait Rejection: IntoResponse + Send {
    /// Why the request is refused.
    fn auth_error(&self) -> &AuthError;
}

impl Rejection for AuthError {
    fn auth_error(&self) -> &AuthError {
        self
    }
}

impl<L, R, E, S> FromRequestParts<S> for Either<L, R>
where
    L: FromRequestParts<S, Rejection = E>,
    R: FromRequestParts<S, Rejection = E>,
    E: Rejection,
    S: Send + Sync,
{
    type Rejection = E;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, E> {
        let left = match L::from_request_parts(parts, state).await {
            Ok(left) => return Ok(Self::Left(left)),
            Err(error) => error,
        };
        match R::from_request_parts(parts, state).await {
            Ok(right) => Ok(Self::Right(right)),
            Err(right) if weight(right.auth_error()) > weight(left.auth_error()) => Err(right),
            Err(_) => Err(left),
        }
    }
}

impl<L, R, S> OptionalFromRequestParts<S> for Either<L, R>
where
    L: FromRequestParts<S, Rejection = AuthError>,
    R: FromRequestParts<S, Rejection = AuthError>,
    S: Send + Sync,
{
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, AuthError> {
        match <Self as FromRequestParts<S>>::from_request_parts(parts, state).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.is_signed_out() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Which of two errors counts: the one that leaves more open. An outage does not say whether there is a session.
fn weight(error: &AuthError) -> u8 {
    match error.outcome() {
        _ if error.is_signed_out() => 0,
        Outcome::Absent | Outcome::Invalid => 1,
        Outcome::Forbidden | Outcome::BadRequest => 2,
        Outcome::Unavailable => 3,
    }
}

/// The session of either proxy, if both have one type of user.
impl<L: AuthProxy, R: AuthProxy<User = L::User>> Deref for Either<Session<L>, Session<R>> {
    type Target = SessionData<L::User>;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Left(session) => session,
            Self::Right(session) => session,
        }
    }
}

impl<L: Serialize, R: Serialize> Serialize for Either<L, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Left(left) => left.serialize(serializer),
            Self::Right(right) => right.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{Request, StatusCode};

    use super::*;
    use crate::error::Reason;

    /// Extractors with a given result.
    struct Found;
    struct Fails<const STATUS: u16>;

    impl FromRequestParts<()> for Found {
        type Rejection = AuthError;

        async fn from_request_parts(_: &mut Parts, (): &()) -> Result<Self, AuthError> {
            Ok(Self)
        }
    }

    impl<const STATUS: u16> FromRequestParts<()> for Fails<STATUS> {
        type Rejection = AuthError;

        async fn from_request_parts(_: &mut Parts, (): &()) -> Result<Self, AuthError> {
            Err(AuthError::new(match STATUS {
                0 => Reason::SESSION_ABSENT,
                401 => Reason::SESSION_REFUSED,
                503 => Reason::UPSTREAM_OVERLOADED,
                _ => Reason::UPSTREAM_UNREACHABLE,
            }))
        }
    }

    async fn code<L, R>() -> &'static str
    where
        L: FromRequestParts<(), Rejection = AuthError>,
        R: FromRequestParts<(), Rejection = AuthError>,
    {
        let (mut parts, ()) = Request::new(()).into_parts();
        match <Either<L, R> as FromRequestParts<()>>::from_request_parts(&mut parts, &()).await {
            Ok(Either::Left(_)) => "left",
            Ok(Either::Right(_)) => "right",
            Err(error) => error.code(),
        }
    }

    #[tokio::test]
    async fn first_session_counts_and_an_outage_is_never_a_sign_out() {
        assert_eq!(code::<Found, Found>().await, "left");
        assert_eq!(code::<Found, Fails<502>>().await, "left");
        assert_eq!(code::<Fails<0>, Found>().await, "right");
        assert_eq!(code::<Fails<401>, Found>().await, "right");
        assert_eq!(code::<Fails<502>, Found>().await, "right");
        assert_eq!(code::<Fails<0>, Fails<0>>().await, "session_absent");
        assert_eq!(code::<Fails<401>, Fails<0>>().await, "session_refused");
        assert_eq!(code::<Fails<0>, Fails<401>>().await, "session_absent");
        assert_eq!(code::<Fails<502>, Fails<0>>().await, "upstream_unreachable");
        assert_eq!(code::<Fails<0>, Fails<502>>().await, "upstream_unreachable");
        assert_eq!(code::<Fails<401>, Fails<502>>().await, "upstream_unreachable");
        assert_eq!(code::<Fails<502>, Fails<503>>().await, "upstream_unreachable");
    }

    #[tokio::test]
    async fn optional_is_none_only_where_both_have_no_session() {
        async fn is_none<L, R>() -> Result<bool, StatusCode>
        where
            L: FromRequestParts<(), Rejection = AuthError>,
            R: FromRequestParts<(), Rejection = AuthError>,
        {
            let (mut parts, ()) = Request::new(()).into_parts();
            let found =
                <Either<L, R> as OptionalFromRequestParts<()>>::from_request_parts(&mut parts, &()).await;
            found.map(|found| found.is_none()).map_err(|error| error.status())
        }
        assert_eq!(is_none::<Fails<0>, Fails<0>>().await, Ok(true));
        assert_eq!(is_none::<Fails<401>, Fails<0>>().await, Ok(true));
        assert_eq!(is_none::<Fails<0>, Found>().await, Ok(false));
        assert_eq!(is_none::<Fails<0>, Fails<502>>().await, Err(StatusCode::BAD_GATEWAY));
        assert_eq!(is_none::<Fails<502>, Fails<401>>().await, Err(StatusCode::BAD_GATEWAY));
    }
}
