//! The session, the claims and the token of a request by its headers, for code outside of handlers.

use http::HeaderMap;

use super::{RawToken, RequestAuth, Session, Token};
use crate::error::AuthError;
use crate::provider::{AuthProxy, Proxy};

impl<P: AuthProxy> Proxy<P> {
    /// The session of a request, outside of handlers. `None` when no credential was sent, or when the upstream says
    /// that the visitor is signed out.
    ///
    /// Each call makes its own lookup, and the session cookies that the upstream renews in it do not reach the browser.
    /// Inside a handler, take [`Session`] as an argument instead. This method does not
    /// know the peer's address, so it ignores forwarded headers even with `trusted_proxies`: set `public_url` if the
    /// upstream's response depends on the host or the scheme.
    ///
    /// # Errors
    /// [`AuthError`], if the credential is invalid, the upstream is unavailable, or `Host` is invalid.
    pub async fn session(&self, headers: &HeaderMap) -> Result<Option<Session<P>>, AuthError> {
        RequestAuth::of_headers(self.clone(), headers).session().await
    }

    /// The claims of a request's token, outside of handlers. `None` when no credential was sent.
    ///
    /// # Errors
    /// [`AuthError`], if the token is invalid. Without `upstream.secret` also if the upstream is unavailable.
    pub async fn token(&self, headers: &HeaderMap) -> Result<Option<Token<P>>, AuthError> {
        Ok(RequestAuth::of_headers(self.clone(), headers).token().await?.map(Token::new))
    }

    /// A request's session token as it was sent, outside of handlers. `None` when none was sent.
    ///
    /// # Errors
    /// [`AuthError`], if the cookies are too large or the `Authorization` header is malformed.
    pub fn raw_token(&self, headers: &HeaderMap) -> Result<Option<RawToken<P>>, AuthError> {
        Ok(RequestAuth::of_headers(self.clone(), headers).credential()?.map(|found| RawToken::of(&found)))
    }
}
