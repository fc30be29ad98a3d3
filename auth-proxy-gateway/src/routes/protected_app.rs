//! The app behind the rules.

use std::convert::Infallible;

use auth_proxy::Session;
use auth_proxy::reverse_proxy::{ReverseProxy, Until};
use auth_proxy::verdict::Verdict;
use axum::Router;
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::Request;
use http::request::Parts;
use tower::ServiceExt as _;

use super::login::Login;
use crate::gateway::Gateway;
use crate::server::ConnectionPermit;

/// Decides about each request, and forwards those that may pass.
#[derive(Clone)]
pub(super) struct ProtectedApp {
    login: Login,
    verdict: Verdict<Gateway>,
    app: ReverseProxy,
}

impl ProtectedApp {
    pub(super) fn new(login: Login, verdict: Verdict<Gateway>, app: ReverseProxy) -> Self {
        Self { login, verdict, app }
    }

    /// The routes: every path that no other route has.
    pub(super) fn router(self) -> Router {
        let service = tower::service_fn(move |request: Request<Body>| {
            let app = self.clone();
            async move { Ok::<_, Infallible>(app.answer(request).await) }
        });
        Router::new().fallback_service(service)
    }

    async fn answer(self, request: Request<Body>) -> Response {
        let (mut parts, body) = request.into_parts();
        match self.verdict.decide(&mut parts).await {
            Ok(identity) => {
                let until = self.until(&mut parts, identity.is_guest()).await;
                parts.extensions.insert(until);
                parts.extensions.insert(identity);
                let Ok(response) = self.app.oneshot(Request::from_parts(parts, body)).await;
                response
            }
            Err(rejection) => rejection.into_response(),
        }
    }

    /// When a WebSocket or a stream of events ends: with the session of the visitor, and when another login replaces this
    /// one, which would not learn of a sign-out. Until then a WebSocket keeps the permit of its connection.
    async fn until(&self, parts: &mut Parts, is_guest: bool) -> Until {
        let permit = parts.extensions.get::<ConnectionPermit>().cloned();
        let session = match is_guest {
            true => None,
            // The decision has looked the session up, and this is the same one.
            false => <Session<Gateway> as FromRequestParts<Gateway>>::from_request_parts(
                parts,
                self.login.gateway(),
            )
            .await
            .ok(),
        };
        let ended = session.map(|session| (session.ended(), self.login.replaced()));
        Until::new(async move {
            let _permit = permit;
            match ended {
                Some((ended, replaced)) => tokio::select! { _ = ended => {}, () = replaced => {} },
                None => std::future::pending().await,
            }
        })
    }
}
