//! Bodies that are counted, or read in part.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::error::{AuthError, BoxError, Reason};

/// A request body that ends with an error once it passes a limit.
///
/// The client that carries the body may wrap or drop that error, so that what became of the body is
/// noted beside it.
pub(super) struct Limited {
    body: Body,
    left: u64,
    fate: Fate,
}

/// What became of a request body.
#[derive(Clone)]
pub(super) struct Fate(Arc<AtomicU8>);

const ARRIVING: u8 = 0;
const ARRIVED: u8 = 1;
const TOO_LARGE: u8 = 2;
const BROKEN: u8 = 3;

impl Fate {
    fn is(&self, fate: u8) -> bool {
        self.0.load(Ordering::Acquire) == fate
    }

    fn set(&self, fate: u8) {
        self.0.store(fate, Ordering::Release);
    }

    /// What an error of the upstream's side really is: the client's own fault, where its body is why.
    pub(super) fn blame(&self, error: AuthError) -> AuthError {
        if self.is(TOO_LARGE) {
            AuthError::new(Reason::BODY_TOO_LARGE)
        } else if self.is(BROKEN) {
            AuthError::new(Reason::BODY_BROKEN)
        } else if self.is(ARRIVING) && error.is(Reason::UPSTREAM_TIMEOUT) {
            AuthError::new(Reason::BODY_LATE)
        } else {
            error
        }
    }

    /// Whether the body was larger than its limit, whatever the upstream made of what it got.
    pub(super) fn is_too_large(&self) -> bool {
        self.is(TOO_LARGE)
    }
}

impl Limited {
    /// The body, and what becomes of it.
    pub(super) fn new(body: Body, limit: u64) -> (Self, Fate) {
        let fate = Fate(Arc::new(AtomicU8::new(ARRIVING)));
        (Self { body, left: limit, fate: fate.clone() }, fate)
    }
}

impl http_body::Body for Limited {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else { return Poll::Pending };
        let Some(frame) = frame else {
            self.fate.set(ARRIVED);
            return Poll::Ready(None);
        };
        let frame = frame.inspect_err(|_| self.fate.set(BROKEN))?;
        let size = frame.data_ref().map_or(0, |data| u64::try_from(data.len()).unwrap_or(u64::MAX));
        match self.left.checked_sub(size) {
            Some(left) => {
                self.left = left;
                if self.body.is_end_stream() {
                    self.fate.set(ARRIVED);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            None => {
                self.fate.set(TOO_LARGE);
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

/// A body whose beginning was read already.
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
