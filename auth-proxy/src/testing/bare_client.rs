//! The HTTP client without a proxy around it, for benchmarks.

use std::sync::Arc;
use std::time::Duration;

use auth_proxy_rules::app_url;
use axum::body::Body;
use http::{Request, Response};

use crate::error::{AuthError, BoxError};
use crate::upstream::AppClient;

/// The built-in HTTP client, without the checks, rewrites, limits, retries and the circuit breaker of a proxy. The benchmarks
/// of this project measure with it what those cost.
#[doc(hidden)]
#[derive(Clone)]
pub struct BareClient(Arc<AppClient>);

impl BareClient {
    /// A client of the server at this address.
    ///
    /// # Errors
    /// When the address is neither an origin nor a Unix socket, or when the system's certificates cannot be read.
    pub fn new(url: &str) -> Result<Self, BoxError> {
        let limit = Duration::from_secs(10);
        Ok(Self(Arc::new(AppClient::new(&app_url(url)?, limit, limit)?)))
    }

    /// Sends a request with its path, and waits for the head of the response.
    ///
    /// # Errors
    /// When the server cannot be reached, or breaks off.
    pub async fn send(&self, request: Request<Body>) -> Result<Response<Body>, AuthError> {
        self.0.send(request).await
    }
}

impl std::fmt::Debug for BareClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BareClient(..)")
    }
}
