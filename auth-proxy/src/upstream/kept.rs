//! Keeps a copy of a request while it is sent, for a retry.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Uri};
use http_body::{Body as _, Frame, SizeHint};

use crate::error::BoxError;

/// A copy of a request: its head, and its body as long as the HTTP client has not read from it.
pub(super) struct KeptRequest {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Option<Arc<Mutex<State>>>,
}

impl KeptRequest {
    /// Splits a request into the one to send and the copy for a retry.
    pub(super) fn keep(request: Request<Body>) -> (Request<Body>, Self) {
        let (parts, body) = request.into_parts();
        let (body, kept) = if body.is_end_stream() {
            (body, None)
        } else {
            let state = Arc::new(Mutex::new(State { body: Some(body), is_read: false }));
            (Body::new(SharedBody(Arc::clone(&state))), Some(state))
        };
        let kept = Self {
            method: parts.method.clone(),
            uri: parts.uri.clone(),
            headers: parts.headers.clone(),
            body: kept,
        };
        (Request::from_parts(parts, body), kept)
    }

    /// The request for a retry. `None` when the HTTP client has read from its body: the bytes are gone.
    pub(super) fn try_clone(self) -> Option<Request<Body>> {
        let body = match self.body {
            None => Body::empty(),
            Some(state) => lock(&state).take()?,
        };
        let mut request = Request::new(body);
        *request.method_mut() = self.method;
        *request.uri_mut() = self.uri;
        *request.headers_mut() = self.headers;
        Some(request)
    }
}

struct State {
    body: Option<Body>,
    is_read: bool,
}

impl State {
    fn take(&mut self) -> Option<Body> {
        if self.is_read { None } else { self.body.take() }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The body that the HTTP client gets. It reads from the shared state until a retry takes the body.
struct SharedBody(Arc<Mutex<State>>);

impl http_body::Body for SharedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut state = lock(&self.0);
        state.is_read = true;
        match &mut state.body {
            Some(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
            None => Poll::Ready(Some(Err("the body was taken for a retry".into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        lock(&self.0).body.as_ref().is_some_and(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        lock(&self.0).body.as_ref().map_or_else(SizeHint::default, Body::size_hint)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    fn form() -> Request<Body> {
        Request::post("/signout").header("x-a", "b").body(Body::from("a=b")).unwrap()
    }

    #[tokio::test]
    async fn request_with_unread_body_is_cloned_with_its_body() {
        let (sent, kept) = KeptRequest::keep(form());
        assert_eq!(sent.body().size_hint().exact(), Some(3), "the length of the body is known");
        let clone = kept.try_clone().unwrap();
        assert_eq!((clone.method(), clone.uri().path()), (&Method::POST, "/signout"));
        assert_eq!(clone.headers()["x-a"], "b");
        assert_eq!(clone.into_body().collect().await.unwrap().to_bytes(), "a=b");
        // The first request fails when its body is read: it must not be sent with the old length and no body.
        assert!(sent.into_body().collect().await.is_err());
    }

    #[tokio::test]
    async fn request_whose_body_was_read_is_not_cloned() {
        let (mut sent, kept) = KeptRequest::keep(form());
        sent.body_mut().frame().await.unwrap().unwrap();
        assert!(kept.try_clone().is_none());
    }

    #[test]
    fn request_without_body_is_always_cloned() {
        let (sent, kept) = KeptRequest::keep(Request::new(Body::empty()));
        drop(sent);
        assert!(kept.try_clone().unwrap().body().is_end_stream());
    }
}
