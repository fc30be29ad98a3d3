//! Counts the forwarded requests that wait for the next bytes of their client.
//!
//! An HTTP client of the app (`upstream.fetch`) may send all requests over few connections: HTTP/2 uses one, with about 100
//! streams. Clients that send their forms slowly can hold all of them, and a health check gets none. So while many bodies
//! are awaited, the timeout of a health check says nothing about the upstream. The built-in client needs no count: its
//! requests share no connection.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};

use crate::error::BoxError;

/// From how many awaited bodies on a health check may have got no stream. RFC 9113, section 6.5.2 recommends servers to allow
/// 100 streams or more. With fewer awaited bodies, one slow form would hide an outage.
const MANY: usize = 16;

/// How many request bodies are awaited.
#[derive(Default)]
pub(super) struct AwaitedBodies(Arc<AtomicUsize>);

impl AwaitedBodies {
    pub(super) fn are_many(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= MANY
    }

    /// The same body, which counts whenever a read of it waits for the client.
    pub(super) fn count(&self, body: Body) -> Body {
        if body.is_end_stream() {
            return body;
        }
        Body::new(Counted { body, all: Arc::clone(&self.0), is_awaited: false })
    }
}

struct Counted {
    body: Body,
    all: Arc<AtomicUsize>,
    is_awaited: bool,
}

impl Counted {
    fn set_awaited(&mut self, is_awaited: bool) {
        match (std::mem::replace(&mut self.is_awaited, is_awaited), is_awaited) {
            (false, true) => _ = self.all.fetch_add(1, Ordering::Relaxed),
            (true, false) => _ = self.all.fetch_sub(1, Ordering::Relaxed),
            _ => {}
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.set_awaited(false);
    }
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        self.set_awaited(polled.is_pending());
        polled.map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use futures_util::stream::{pending, poll_fn};
    use http_body_util::BodyExt as _;

    use super::*;

    fn silent() -> Body {
        Body::from_stream(pending::<Result<Bytes, BoxError>>())
    }

    #[tokio::test]
    async fn body_counts_only_while_its_client_is_waited_for() {
        let awaited = AwaitedBodies::default();
        let count = || awaited.0.load(Ordering::Relaxed);
        let mut left = 2;
        let mut slow = awaited.count(Body::from_stream(poll_fn(move |_| {
            left -= 1;
            if left == 1 { Poll::Pending } else { Poll::Ready(Some(Ok::<_, BoxError>(Bytes::from("form")))) }
        })));
        assert_eq!(count(), 0, "nobody has asked for it");
        assert!(slow.frame().now_or_never().is_none());
        assert!(slow.frame().now_or_never().is_some() && count() == 0, "its bytes have arrived");
        let mut silent = awaited.count(silent());
        assert!(silent.frame().now_or_never().is_none() && silent.frame().now_or_never().is_none());
        assert_eq!(count(), 1, "it counts once");
        drop(silent);
        assert_eq!(count(), 0);
    }

    #[tokio::test]
    async fn few_awaited_bodies_are_not_many() {
        let awaited = AwaitedBodies::default();
        let mut all = Vec::new();
        for _ in 0..MANY {
            assert!(!awaited.are_many());
            let mut body = awaited.count(silent());
            assert!(body.frame().now_or_never().is_none());
            all.push(body);
        }
        assert!(awaited.are_many());
    }
}
