//! The service behind the sign-in routes: CORS, forwarding, error pages.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::Request;
use tower::Service;

use super::cors::Cors;
use super::forward;
use super::session_answer::{self, SessionAnswers};
use crate::page;
use crate::provider::{AuthProxy, Proxy, Shared};

/// Returns the service that handles every request below the base path.
pub(super) fn service<P: AuthProxy>(
    proxy: &Proxy<P>,
) -> impl Service<Request<Body>, Response = Response, Error = Infallible, Future: Send> + Clone + use<P> {
    of_any_type(proxy.shared(), session_answer::answers(proxy))
}

fn of_any_type(
    shared: &Arc<Shared>,
    answers: Option<Arc<dyn SessionAnswers>>,
) -> impl Service<Request<Body>, Response = Response, Error = Infallible, Future: Send> + Clone + use<> {
    let shared = Arc::clone(shared);
    // `service_fn` saves an allocation: a named type would have to box its future, and the router boxes it again.
    tower::service_fn(move |request: Request<Body>| {
        let shared = Arc::clone(&shared);
        let answers = answers.clone();
        async move {
            let cors = Cors::of(request.headers(), &shared.settings);
            let navigates = page::is_navigation(request.headers());
            let response = answer(&shared, answers.as_deref(), request, cors.as_ref()).await;
            let mut response = page::shown(response, navigates, shared.error_page.as_ref());
            if let Some(cors) = cors {
                cors.write(response.headers_mut());
            }
            Ok(response)
        }
    })
}

/// Answers a CORS preflight itself, and forwards all other requests.
async fn answer(
    shared: &Arc<Shared>,
    answers: Option<&dyn SessionAnswers>,
    request: Request<Body>,
    cors: Option<&Cors>,
) -> Response {
    let (parts, body) = request.into_parts();
    if let Some(preflight) = cors.and_then(|cors| cors.preflight(&parts)) {
        return preflight;
    }
    let response = forward::answer(shared, answers, Request::from_parts(parts, body)).await;
    response.unwrap_or_else(IntoResponse::into_response)
}
