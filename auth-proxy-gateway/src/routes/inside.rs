//! The app behind the rules.

use std::convert::Infallible;

use auth_proxy::reverse_proxy::ReverseProxy;
use auth_proxy::verdict::Verdict;
use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::Request;
use tower::ServiceExt as _;

use crate::gateway::Gateway;

/// Decides about each request, and forwards those that may pass.
#[derive(Clone)]
pub(super) struct Inside {
    verdict: Verdict<Gateway>,
    app: ReverseProxy,
}

impl Inside {
    pub(super) fn new(verdict: Verdict<Gateway>, app: ReverseProxy) -> Self {
        Self { verdict, app }
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
                parts.extensions.insert(identity);
                let Ok(response) = self.app.oneshot(Request::from_parts(parts, body)).await;
                response
            }
            Err(rejection) => rejection.into_response(),
        }
    }
}
