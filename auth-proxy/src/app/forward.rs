//! Forwards one request to the app.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderValue, Request};

use super::body::{Activity, TrackedBody};
use super::destination::App;
use super::response::clean;
use super::until::{BodyUntil, Until};
use super::{request, tunnel};
use crate::error::{AuthError, Reason};
use crate::proxy::{BodyProgress, Limited};
use crate::upstream::of_app;

/// Forwards a request.
///
/// # Errors
/// A 4xx for a request that is not forwarded; `app_unreachable`, `app_failed`, `app_timeout`.
pub(super) async fn forward(app: &App, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    match exchange(app, parts, body).await {
        Ok(response) => {
            app.client.log.succeeded();
            response
        }
        Err(error) => {
            if error.is_unavailable() {
                app.client.log.failed(&error);
            }
            error.into_response()
        }
    }
}

async fn exchange(app: &App, mut parts: Parts, body: Body) -> Result<Response, AuthError> {
    let is_websocket = request::wants_websocket(&parts);
    let mut headers = request::headers(app, &mut parts, is_websocket)?;
    let activity = Activity::now();
    let (body, progress) = if http_body::Body::is_end_stream(&body) {
        (Body::empty(), None)
    } else {
        if http_body::Body::size_hint(&body).exact().is_none() {
            // hyper sends no body of unknown size with a GET or HEAD, unless the headers announce one.
            headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        // Without a limit: the app has its own.
        let (body, progress) = Limited::new(Body::new(TrackedBody::new(body, &activity)), u64::MAX);
        (Body::new(body), Some(progress))
    };
    let mut outgoing = Request::new(body);
    *outgoing.method_mut() = parts.method.clone();
    *outgoing.uri_mut() = parts.uri.clone();
    *outgoing.headers_mut() = headers;
    if is_websocket {
        // In a box, since few requests are tunnels: the future of every request would be 4 KiB larger.
        return Box::pin(tunnel::open(app, parts, outgoing)).await;
    }
    let response = tokio::select! {
        response = app.client.send(outgoing) => response,
        // With this reason, a body whose bytes are late is recognised as the cause.
        () = activity.pause(app.timeout) => Err(AuthError::new(Reason::UPSTREAM_TIMEOUT)),
    };
    let mut response = response.map_err(|error| failure(error, progress))?;
    if response.status().is_informational() {
        return Err(AuthError::new(Reason::APP_FAILED)
            .because("it switched protocols, though the request does not ask for that"));
    }
    clean(&mut response);
    match parts.extensions.get::<Until>().filter(|_| is_events(&response)).and_then(Until::take) {
        Some(until) => Ok(response.map(|body| Body::new(BodyUntil::new(body, until)))),
        None => Ok(response),
    }
}

/// Whether a response is a stream of events, which goes on until it is closed.
fn is_events(response: &Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    kind.and_then(|kind| kind.get(..17)).is_some_and(|kind| kind.eq_ignore_ascii_case(b"text/event-stream"))
}

/// Attributes a failure to its cause: the app, or the client's body.
fn failure(error: AuthError, progress: Option<BodyProgress>) -> AuthError {
    of_app(progress.map_or(error.clone(), |progress| progress.attribute(error)))
}
