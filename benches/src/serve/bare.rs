//! The bare pass-through: the HTTP client of auth-proxy behind the same axum server, without checks, rewrites, limits,
//! retries, circuit breaker and spans. It shows what these cost.

use auth_proxy::testing::BareClient;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use http::{Response, StatusCode};

use super::strip;
use crate::Error;

pub(super) fn router(upstream: &str) -> Result<Router, Error> {
    Ok(Router::new().fallback(forward).with_state(BareClient::new(upstream)?))
}

async fn forward(
    State(client): State<BareClient>,
    mut request: Request,
) -> Result<Response<Body>, (StatusCode, String)> {
    strip(request.headers_mut());
    let response = client.send(request).await;
    let mut response = response.map_err(|error| (StatusCode::BAD_GATEWAY, error.to_string()))?;
    strip(response.headers_mut());
    Ok(response)
}
