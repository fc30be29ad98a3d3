//! The app behind the rules.

use std::convert::Infallible;

use auth_proxy::Session;
use auth_proxy::reverse_proxy::{ReverseProxy, Until};
use auth_proxy::verdict::Verdict;
use axum::Router;
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT, UPGRADE};
use http::request::Parts;
use http::{HeaderValue, Request};
use tower::ServiceExt as _;

use crate::gateway::Gateway;

/// Decides about each request, and forwards those that may pass.
#[derive(Clone)]
pub(super) struct Inside {
    gateway: Gateway,
    verdict: Verdict<Gateway>,
    app: ReverseProxy,
}

impl Inside {
    pub(super) fn new(gateway: Gateway, verdict: Verdict<Gateway>, app: ReverseProxy) -> Self {
        Self { gateway, verdict, app }
    }

    /// The routes: every path that no other route has.
    pub(super) fn router(self) -> Router {
        let service = tower::service_fn(move |request: Request<Body>| {
            let inside = self.clone();
            async move { Ok::<_, Infallible>(inside.answer(request).await) }
        });
        Router::new().fallback_service(service)
    }

    async fn answer(self, request: Request<Body>) -> Response {
        let (mut parts, body) = request.into_parts();
        match self.verdict.decide(&mut parts).await {
            Ok(identity) => {
                if !identity.is_guest() && may_run_long(&parts) {
                    self.end_with_session(&mut parts).await;
                }
                parts.extensions.insert(identity);
                let Ok(response) = self.app.oneshot(Request::from_parts(parts, body)).await;
                response
            }
            Err(rejection) => rejection.into_response(),
        }
    }

    /// Ends a WebSocket or a stream of events when the visitor signs out.
    async fn end_with_session(&self, parts: &mut Parts) {
        // The decision has looked the session up, and this is the same one.
        let session =
            <Session<Gateway> as FromRequestParts<Gateway>>::from_request_parts(parts, &self.gateway).await;
        if let Ok(session) = session {
            let ended = session.ended();
            parts.extensions.insert(Until::new(async move {
                let _ = ended.await;
            }));
        }
    }
}

/// Whether a request may be for a WebSocket or a stream of events.
fn may_run_long(parts: &Parts) -> bool {
    let accepts_events =
        |accept: &HeaderValue| accept.to_str().is_ok_and(|accept| accept.contains("text/event-stream"));
    parts.headers.contains_key(UPGRADE) || parts.headers.get_all(ACCEPT).iter().any(accepts_events)
}
