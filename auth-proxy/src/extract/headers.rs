//! Sessions and tokens outside of handlers, from headers alone.

use http::HeaderMap;

use super::{RawToken, RequestAuth, Session, Token};
use crate::error::AuthError;
use crate::provider::{AuthProxy, Proxy};

impl<P: AuthProxy> Proxy<P> {
    /// The session of a request, outside of handlers. `None` when no credential was sent, or when the upstream says that
    /// the visitor is signed out.
    ///
    /// Each call is a lookup of its own; inside handlers take [`Session`] as an argument. The address of the peer is not
    /// known here, so that no forwarded header counts, also with `trusted_proxies`: set `public_url` if the upstream's
    /// answer depends on the host or the scheme.
    ///
    /// # Errors
    /// [`AuthError`]: invalid, unavailable, or an invalid `Host`.
    pub async fn session(&self, headers: &HeaderMap) -> Result<Option<Session<P>>, AuthError> {
        RequestAuth::of_headers(self.clone(), headers).session().await
    }

    /// The claims of a request's token, outside of handlers. `None` when no credential was sent.
    ///
    /// # Errors
    /// [`AuthError`]: invalid, or unavailable where the upstream is asked.
    pub async fn token(&self, headers: &HeaderMap) -> Result<Option<Token<P>>, AuthError> {
        if self.shared().verifier.is_some() {
            let verified = RequestAuth::of_headers(self.clone(), headers).verified()?;
            return verified.map(|verified| verified.claims().map(Token::new)).transpose();
        }
        Ok(RequestAuth::of_headers(self.clone(), headers).token().await?.map(Token::new))
    }

    /// A request's session token as it was sent, outside of handlers. `None` when none was sent.
    ///
    /// # Errors
    /// [`AuthError`], invalid: the cookies are too large, or the `Authorization` header is broken.
    pub fn raw_token(&self, headers: &HeaderMap) -> Result<Option<RawToken<P>>, AuthError> {
        Ok(RequestAuth::of_headers(self.clone(), headers).credential()?.map(|found| RawToken::of(&found)))
    }
}
