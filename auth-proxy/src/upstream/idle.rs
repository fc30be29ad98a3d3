//! A timeout for response bodies: ends a body when no data arrives for too long.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use crate::error::{AuthError, BoxError, Reason};

/// A response body that ends with `upstream_timeout` after a pause longer than the limit.
///
/// An error is reported one poll after it happens. A server writes the head and the body so far when the body is
/// pending, but drops both when the body fails first. Then the client's connection would close without a response, and
/// the client might send its request again.
pub(super) struct IdleTimeout<B> {
    /// `None` once the body has ended.
    body: Option<B>,
    /// The error that ended the body, until it is reported.
    broken: Option<BoxError>,
    limit: Duration,
    /// Runs only while a poll is pending, so that a slow reader does not count as a pause.
    pause: Option<Pin<Box<Sleep>>>,
}

impl<B> IdleTimeout<B> {
    pub(super) fn new(body: B, limit: Duration) -> Self {
        Self { body: Some(body), broken: None, limit, pause: None }
    }
}

impl<B> http_body::Body for IdleTimeout<B>
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let Some(body) = &mut this.body else { return Poll::Ready(this.broken.take().map(Err)) };
        match Pin::new(body).poll_frame(cx) {
            Poll::Ready(Some(Err(error))) => {
                this.body = None;
                this.pause = None;
                this.broken = Some(error.into());
                cx.waker().wake_by_ref();
                Poll::Pending
            }
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
                        this.body = None;
                        this.pause = None;
                        Poll::Ready(Some(Err(AuthError::new(Reason::UPSTREAM_TIMEOUT).into())))
                    }
                    Poll::Pending => Poll::Pending,
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.broken.is_none() && self.body.as_ref().is_none_or(B::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, B::size_hint)
    }
}
