//! The body of an upstream response: polls its connection, and returns it to the pool at the end.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;

use super::connection::Connection;
use super::pool::Pool;

/// A response body. At its end the connection returns to the pool. If the body is dropped before, the connection
/// closes.
pub(in crate::upstream) struct ResponseBody {
    body: Incoming,
    connection: Option<Connection>,
    pool: Arc<Pool>,
}

impl ResponseBody {
    /// The body of a response on this connection. `None` for an empty body; the connection then returns to the pool at
    /// once.
    pub(super) fn new(body: Incoming, connection: Connection, pool: &Arc<Pool>) -> Option<Self> {
        if body.is_end_stream() {
            pool.put(connection);
            return None;
        }
        Some(Self { body, connection: Some(connection), pool: Arc::clone(pool) })
    }
}

impl http_body::Body for ResponseBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = &mut *self;
        let mut frame = Pin::new(&mut this.body).poll_frame(cx);
        if frame.is_pending()
            && let Some(connection) = &mut this.connection
        {
            let _ = connection.drive(cx);
            frame = Pin::new(&mut this.body).poll_frame(cx);
        }
        match &frame {
            Poll::Ready(Some(Ok(_))) if !this.body.is_end_stream() => {}
            Poll::Ready(Some(Ok(_)) | None) => {
                if let Some(connection) = this.connection.take() {
                    this.pool.put(connection);
                }
            }
            Poll::Ready(Some(Err(_))) => this.connection = None,
            Poll::Pending => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
