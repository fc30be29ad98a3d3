//! The client that carries requests: the built-in one, or the one that the app gives (`upstream.fetch`).
//!
//! The built-in client speaks HTTP/1.1 over TCP, and over TLS where `upstream.base_url` is https. Both behave
//! alike: only [`connect`] knows the difference. It follows no redirects, decodes no bodies, keeps no cookies,
//! uses no system proxy, and sends a request a second time only when nothing of it was written. Whether a request
//! that failed is tried again is decided outside (`verdict.rs`).
//!
//! Why not the pooling client of hyper-util: it gives each connection a task of its own, to which every request is
//! handed over and back. In `benches`, for small answers over http, it cost 5 to 9 % of the requests per CPU second.
//!
//! Why no HTTP/2: its requests share a connection. A client that sends many slow forms would use up the
//! connection's streams, and keep the session lookups of other visitors waiting.

mod connect;
mod connection;
mod http1;
mod pool;
mod response_body;

use std::time::Duration;

use auth_proxy_rules::Settings;
use axum::body::Body;
use http::{Request, Response};
use http_body::Body as _;

use self::http1::Http1Client;
use super::error::{SendFailure, classify};
use super::fetch::DynFetch;
use super::idle::IdleTimeout;
use crate::error::BoxError;

/// The client of one upstream.
pub(super) enum Client {
    BuiltIn(Http1Client),
    Given(DynFetch),
}

impl Client {
    /// The client that was given, or the built-in one.
    ///
    /// # Errors
    /// When the system's certificates cannot be read, for an https upstream.
    pub(super) fn new(settings: &Settings, given: Option<DynFetch>) -> Result<Self, BoxError> {
        Ok(match given {
            Some(fetch) => Self::Given(fetch),
            None => Self::BuiltIn(Http1Client::new(settings)?),
        })
    }

    /// Sends a request and waits for the head of the response. A pause of the body that is longer than `idle`
    /// ends it with `upstream_timeout`.
    pub(super) async fn send(
        &self,
        request: Request<Body>,
        idle: Duration,
    ) -> Result<Response<Body>, SendFailure> {
        match self {
            Self::BuiltIn(client) => {
                let response = client.send(request).await?;
                Ok(response.map(|body| match body {
                    Some(body) => Body::new(IdleTimeout::new(body, idle)),
                    None => Body::empty(),
                }))
            }
            Self::Given(client) => {
                let response = client.fetch(request).await.map_err(classify)?;
                Ok(response.map(|body| {
                    if body.is_end_stream() { body } else { Body::new(IdleTimeout::new(body, idle)) }
                }))
            }
        }
    }
}
