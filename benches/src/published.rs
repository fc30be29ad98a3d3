//! Tokens that are verified with the published keys of their issuer, with the public API.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use auth_proxy::{Token, auth_proxy};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use serde_json::json;

use crate::Error;

auth_proxy! {
    /// Verifies access tokens.
    pub struct Machines {
        upstream: { kind: generic, issuer: "https://issuer.example", audience: "api" },
        jwks: { url: "https://issuer.example/jwks" },
    }
}

/// An issuer with one Ed25519 key, the kind of key that Better Auth generates.
#[derive(Debug)]
pub struct Issuer(Ed25519KeyPair);

impl Issuer {
    /// Makes a key.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn new() -> Result<Self, Error> {
        Ok(Self(Ed25519KeyPair::generate()?))
    }

    /// A proxy that knows the key, and caches this many tokens. `first` is a token: the proxy fetches the keys for it.
    ///
    /// # Errors
    /// When the token is refused.
    pub fn machines(&self, cache_entries: u32, first: &HeaderMap) -> Result<Machines, Error> {
        let x = BASE64.encode(self.0.public_key().as_ref());
        let key = json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "one", "x": x });
        let answer = move || async move { Json(json!({ "keys": [key] })) };
        let issuer = Router::new().fallback(answer);
        let machines =
            Machines::builder().upstream_fetch(issuer).session_cache_entries(cache_entries).build()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(machines.token(first))?.ok_or("no token")?;
        Ok(machines)
    }

    /// The headers of a request with the token of the n-th client. It expires in 2100.
    ///
    /// # Errors
    /// Never: tokens are ASCII.
    pub fn headers(&self, n: usize) -> Result<HeaderMap, Error> {
        let claims = json!({
            "iss": "https://issuer.example",
            "aud": "api",
            "sub": format!("{n:08}"),
            "iat": 1_760_000_000_u64,
            "exp": 4_102_444_800_u64,
            "scope": "orders:read stock:read",
        });
        let header = BASE64.encode(r#"{"alg":"EdDSA","typ":"at+jwt","kid":"one"}"#);
        let signed = format!("{header}.{}", BASE64.encode(claims.to_string()));
        let signature = BASE64.encode(self.0.sign(signed.as_bytes()));
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {signed}.{signature}"))?);
        Ok(headers)
    }
}

/// Verifies a token with the public API, which does not wait while the keys are known.
///
/// # Errors
/// When the token is refused.
pub fn verify(machines: &Machines, headers: &HeaderMap) -> Result<Token<Machines>, Error> {
    match pin!(machines.token(headers)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(token) => token?.ok_or_else(|| "no token".into()),
        Poll::Pending => Err("verifying waited".into()),
    }
}
