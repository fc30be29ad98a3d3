//! Implements axum's extractors: how `Session`, `Token` and `RawToken` are taken from a request.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use super::{RawToken, RequestAuth, Session, Token};
use crate::error::{AuthError, Reason};
use crate::provider::{AuthProxy, FromState};

/// Implements the extractors `$extractor` and `Option<$extractor>` with `$find`, an expression that reads `$request`.
macro_rules! extractor {
    ($extractor:ident, $request:ident => $find:expr) => {
        impl<P: AuthProxy + FromState<S>, S: Send + Sync> FromRequestParts<S> for $extractor<P> {
            type Rejection = AuthError;

            async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AuthError> {
                let $request = RequestAuth::of(P::from_state(state).proxy().clone(), parts);
                $find.and_then(|found| found.ok_or_else(|| AuthError::new(Reason::SESSION_ABSENT)))
            }
        }

        impl<P: AuthProxy + FromState<S>, S: Send + Sync> OptionalFromRequestParts<S> for $extractor<P> {
            type Rejection = AuthError;

            async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, AuthError> {
                let $request = RequestAuth::of(P::from_state(state).proxy().clone(), parts);
                optional($find)
            }
        }
    };
}

extractor!(Session, request => request.session().await);
extractor!(Token, request => request.token().await.map(|claims| claims.map(Token::new)));
extractor!(RawToken, request => request.credential().map(|found| found.map(|found| RawToken::of(&found))));

/// Turns the error of a signed-out visitor into `None`. An invalid Bearer token and an unavailable upstream stay
/// errors.
fn optional<T>(found: Result<Option<T>, AuthError>) -> Result<Option<T>, AuthError> {
    match found {
        Err(error) if error.is_signed_out() => Ok(None),
        found => found,
    }
}
