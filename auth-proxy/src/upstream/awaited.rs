//! Counts the forwarded requests whose client is still sending the body.
//!
//! An HTTP client of the app may send all requests over few connections: HTTP/2 uses one, with about 100 streams. Then
//! slow bodies can hold all streams, and a health check gets none. So the timeout of a health check says nothing about
//! the upstream while bodies are on their way. The built-in client needs no count: its requests share no connection.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};

use crate::error::BoxError;

/// How many request bodies are on their way.
#[derive(Default)]
pub(super) struct Uploads(Arc<AtomicUsize>);

impl Uploads {
    pub(super) fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    /// Counts a body until it has ended or is dropped. An empty body is not counted.
    pub(super) fn count(&self, body: Body) -> Body {
        if body.is_end_stream() {
            return body;
        }
        self.0.fetch_add(1, Ordering::Relaxed);
        Body::new(Upload { body, counted: Some(Counted(Arc::clone(&self.0))) })
    }
}

struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Upload {
    body: Body,
    /// `None` once the body has ended.
    counted: Option<Counted>,
}

impl http_body::Body for Upload {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if self.body.is_end_stream() || matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.counted = None;
        }
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
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn body_counts_until_it_ends_or_is_dropped() {
        let uploads = Uploads::default();
        let mut read = uploads.count(Body::from("form"));
        let dropped = uploads.count(Body::from("form"));
        let empty = uploads.count(Body::empty());
        assert!(uploads.any());
        drop(dropped);
        assert!(uploads.any(), "the first body is not read yet");
        assert_eq!(read.frame().await.unwrap().unwrap().into_data().unwrap(), "form");
        assert!(!uploads.any(), "the first body has ended, and an empty one never counts");
        drop((read, empty));
        assert!(!uploads.any());
    }

    #[tokio::test]
    async fn broken_body_counts_no_longer() {
        let uploads = Uploads::default();
        let broken = Err::<Bytes, _>(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
        let mut body =
            uploads.count(Body::from_stream(futures_util::stream::iter([Ok(Bytes::from("f")), broken])));
        body.frame().await.unwrap().unwrap();
        assert!(uploads.any());
        body.frame().await.unwrap().unwrap_err();
        assert!(!uploads.any());
    }
}
