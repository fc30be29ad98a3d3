use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use crate::error::{AuthError, BoxError, Reason};

/// A response body that must keep moving: a pause longer than the limit ends it with an error.
pub(super) struct IdleTimeout {
    body: Body,
    limit: Duration,
    /// Armed only while a poll is waiting, so that a reader that takes its time is not punished.
    pause: Option<Pin<Box<Sleep>>>,
}

impl IdleTimeout {
    pub(super) fn new(body: Body, limit: Duration) -> Self {
        Self { body, limit, pause: None }
    }
}

impl http_body::Body for IdleTimeout {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Ready(frame) => {
                this.pause = None;
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            Poll::Pending => {
                let limit = this.limit;
                let pause = this
                    .pause
                    .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + limit)));
                match pause.as_mut().poll(cx) {
                    Poll::Ready(()) => {
                        this.body = Body::empty();
                        this.pause = None;
                        Poll::Ready(Some(Err(AuthError::new(Reason::UPSTREAM_TIMEOUT).into())))
                    }
                    Poll::Pending => Poll::Pending,
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
