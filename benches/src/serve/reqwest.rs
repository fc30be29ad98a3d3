//! A typical hand-written proxy: an axum fallback that streams everything through reqwest. It rewrites and checks
//! nothing.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use http::{Response, StatusCode};
use http_body::Body as _;

use super::strip;
use crate::Error;

#[derive(Clone)]
struct Upstream {
    client: reqwest::Client,
    url: String,
}

pub(super) fn router(upstream: &str) -> Result<Router, Error> {
    // Keep-alive without a limit of idle connections, and TCP_NODELAY: reqwest's defaults.
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
    Ok(Router::new().fallback(forward).with_state(Upstream { client, url: upstream.to_owned() }))
}

async fn forward(
    State(upstream): State<Upstream>,
    request: Request,
) -> Result<Response<Body>, (StatusCode, String)> {
    let (mut parts, body) = request.into_parts();
    strip(&mut parts.headers);
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut sent = upstream.client.request(parts.method, format!("{}{path}", upstream.url));
    sent = sent.headers(parts.headers);
    if !body.is_end_stream() {
        sent = sent.body(reqwest::Body::wrap_stream(body.into_data_stream()));
    }
    let response = sent.send().await.map_err(|error| (StatusCode::BAD_GATEWAY, error.to_string()))?;
    let (mut parts, body) = Response::from(response).into_parts();
    strip(&mut parts.headers);
    Ok(Response::from_parts(parts, Body::new(body)))
}
