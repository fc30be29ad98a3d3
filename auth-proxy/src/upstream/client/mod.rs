//! The HTTP client: the built-in one, or the one that the app sets (`upstream.fetch`).
//!
//! The built-in client uses HTTP/1.1 over TCP, over TLS if `upstream.base_url` is https, or over a Unix socket. Only
//! [`connect`] and [`stream`] differ between them. The client follows no redirects, decodes no bodies, keeps no cookies and uses no system proxy. It
//! sends a request a second time only when nothing of it was written. `assessment.rs` decides about all other retries.
//!
//! Why not the pooling client of hyper-util: it runs each connection in a task of its own and passes every request and
//! response between tasks. In `benches`, with small responses over http, that cost 5 to 9 % of the requests per CPU
//! second.
//!
//! Why no HTTP/2: its requests share a connection. A client that sends many slow forms would use up the connection's
//! streams and block the session lookups of other visitors.

mod connect;
mod connection;
mod http1;
mod pool;
mod pools;
mod response_body;
mod stream;
#[cfg(unix)]
mod unix;

use std::time::Duration;

use auth_proxy_rules::BaseUrl;
use axum::body::Body;
use http::{Request, Response};
use http_body::Body as _;

pub(super) use self::http1::Http1Client;
use super::error::{SendFailure, classify};
use super::fetch::DynFetch;
use super::idle::IdleTimeout;
use crate::error::BoxError;

/// The HTTP client of one server.
pub(super) enum Client {
    BuiltIn(Http1Client),
    Custom(DynFetch),
}

impl Client {
    /// The app's client, or the built-in one.
    ///
    /// # Errors
    /// When the system's certificates cannot be read, for an https origin.
    pub(super) fn new(
        server: &BaseUrl,
        connect_timeout: Duration,
        custom: Option<DynFetch>,
    ) -> Result<Self, BoxError> {
        Ok(match custom {
            Some(fetch) => Self::Custom(fetch),
            None => Self::BuiltIn(Http1Client::new(server, connect_timeout)?),
        })
    }

    /// Sends a request and waits for the head of the response. A pause in the body that is longer than `idle` ends the
    /// body with `upstream_timeout`.
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
            Self::Custom(client) => {
                let response = client.fetch(request).await.map_err(classify)?;
                Ok(response.map(|body| {
                    if body.is_end_stream() { body } else { Body::new(IdleTimeout::new(body, idle)) }
                }))
            }
        }
    }
}
