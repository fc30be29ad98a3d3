//! Body wrappers: one limits the size of a request body, the other puts bytes that were read back before the rest.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::error::{AuthError, BoxError, Reason};

/// A request body that ends with an error when it exceeds its limit.
///
/// The HTTP client that sends the body may wrap or drop that error, so the progress of the body is kept beside it.
pub(crate) struct Limited {
    body: Body,
    left: u64,
    progress: BodyProgress,
}

/// Whether a request body is unread, awaited, complete, too large or broken off.
#[derive(Clone)]
pub(crate) struct BodyProgress(Arc<AtomicU8>);

/// No read is waiting for the client: the upstream has not asked for the next bytes.
const UNREAD: u8 = 0;
const ARRIVED: u8 = 1;
const TOO_LARGE: u8 = 2;
const BROKEN: u8 = 3;
/// A read is waiting for the client's next bytes.
const AWAITED: u8 = 4;

impl BodyProgress {
    fn is(&self, progress: u8) -> bool {
        self.0.load(Ordering::Acquire) == progress
    }

    fn set(&self, progress: u8) {
        self.0.store(progress, Ordering::Release);
    }

    /// Returns the 4xx of a failed client body in place of the upstream error that it caused. A timeout is the client's
    /// only if a read was waiting for its bytes: an upstream that hangs stops reading.
    pub(crate) fn attribute(&self, error: AuthError) -> AuthError {
        if self.is(TOO_LARGE) {
            AuthError::new(Reason::BODY_TOO_LARGE)
        } else if self.is(BROKEN) {
            AuthError::new(Reason::BODY_BROKEN)
        } else if self.is(AWAITED) && error.is(Reason::UPSTREAM_TIMEOUT) {
            AuthError::new(Reason::BODY_LATE)
        } else {
            error
        }
    }

    /// Whether the body was larger than its limit, even if the upstream answered before it was complete.
    pub(super) fn is_too_large(&self) -> bool {
        self.is(TOO_LARGE)
    }
}

impl Limited {
    /// The body, and its progress.
    pub(crate) fn new(body: Body, limit: u64) -> (Self, BodyProgress) {
        let progress = BodyProgress(Arc::new(AtomicU8::new(UNREAD)));
        (Self { body, left: limit, progress: progress.clone() }, progress)
    }
}

impl http_body::Body for Limited {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else {
            self.progress.set(AWAITED);
            return Poll::Pending;
        };
        let Some(frame) = frame else {
            self.progress.set(ARRIVED);
            return Poll::Ready(None);
        };
        let frame = frame.inspect_err(|_| self.progress.set(BROKEN))?;
        let size = frame.data_ref().map_or(0, |data| u64::try_from(data.len()).unwrap_or(u64::MAX));
        match self.left.checked_sub(size) {
            Some(left) => {
                self.left = left;
                self.progress.set(if self.body.is_end_stream() { ARRIVED } else { UNREAD });
                Poll::Ready(Some(Ok(frame)))
            }
            None => {
                self.progress.set(TOO_LARGE);
                self.body = Body::empty();
                Poll::Ready(Some(Err(AuthError::new(Reason::BODY_TOO_LARGE).into())))
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

/// A body whose first bytes were read already.
pub(super) struct Prefixed {
    read: Option<Bytes>,
    rest: Body,
}

impl Prefixed {
    pub(super) fn new(read: Bytes, rest: Body) -> Self {
        Self { read: Some(read), rest }
    }
}

impl http_body::Body for Prefixed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match self.read.take() {
            Some(read) => Poll::Ready(Some(Ok(Frame::data(read)))),
            None => Pin::new(&mut self.rest).poll_frame(cx),
        }
    }
}
