//! Ends request bodies that stop arriving. Not `TimeoutBody` of tower-http, which hides the size of the body: the app would
//! get no `Content-Length`, and hyper sends no body of unknown size with a GET.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::BoxError;
use http_body::{Body, Frame, SizeHint};
use hyper::body::{Bytes, Incoming};
use tokio::time::{Instant, Sleep, sleep_until};

/// A request body that fails after a pause longer than the limit.
pub(super) struct SlowBody {
    body: Incoming,
    limit: Duration,
    /// Runs only while a read waits for the client.
    pause: Option<Pin<Box<Sleep>>>,
}

impl SlowBody {
    pub(super) fn new(body: Incoming, limit: Duration) -> Self {
        Self { body, limit, pause: None }
    }
}

impl Body for SlowBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            this.pause = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let limit = this.limit;
        let pause = this.pause.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + limit)));
        match pause.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Some(Err("the body stopped arriving".into()))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
