use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;

use super::pool::{Connection, Pool};

/// Why there is no answer.
pub(super) struct Failed {
    pub(super) error: hyper::Error,
    /// The request, when nothing of it was written.
    pub(super) unsent: Option<Box<Request<Body>>>,
}

/// Sends a request and waits for the head of its answer, driving the connection meanwhile.
pub(super) async fn exchange(
    mut connection: Connection,
    request: Request<Body>,
) -> Result<(Response<Incoming>, Connection), Failed> {
    let mut answer = pin!(connection.sender.try_send_request(request));
    let answer = poll_fn(|cx| {
        // Whatever ends the connection ends the answer too, with the reason.
        let _ = connection.drive(cx);
        answer.as_mut().poll(cx)
    });
    match answer.await {
        Ok(response) => Ok((response, connection)),
        Err(mut error) => {
            let unsent = error.take_message().map(Box::new);
            Err(Failed { error: error.into_error(), unsent })
        }
    }
}

/// The body of an answer, which drives its connection, and leaves it to the next request at its end. Who
/// drops it before closes the connection.
pub(in crate::upstream) struct Answer {
    body: Incoming,
    connection: Option<Connection>,
    pool: Arc<Pool>,
}

impl Answer {
    /// The body of a response that came on this connection, unless it is empty.
    pub(super) fn of(body: Incoming, connection: Connection, pool: &Arc<Pool>) -> Option<Self> {
        if body.is_end_stream() {
            pool.put(connection);
            return None;
        }
        Some(Self { body, connection: Some(connection), pool: Arc::clone(pool) })
    }

    fn end(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.pool.put(connection);
        }
    }
}

impl http_body::Body for Answer {
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
            Poll::Ready(Some(Ok(_)) | None) => this.end(),
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hyper::client::conn::http1;
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::{sleep, timeout};

    use super::*;

    fn request() -> Request<Body> {
        Request::new(Body::empty())
    }

    /// The other side closes it between the moment that it was found free and the one that it is used.
    #[tokio::test]
    async fn a_request_that_was_not_written_comes_back() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (sender, driver) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        server.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        let connection = Connection::new(sender, driver);
        let Ok((_, mut connection)) = exchange(connection, request()).await else { panic!("it is answered") };
        assert!(connection.is_free());
        // All that was sent is read, so that the end is a plain one.
        let mut sent = [0; 16];
        assert_eq!(server.read(&mut sent).await.unwrap(), 16);
        server.read_buf(&mut Vec::new()).await.unwrap();
        drop(server);
        sleep(Duration::from_millis(50)).await;
        let answer = timeout(Duration::from_secs(10), exchange(connection, request()));
        let failed = answer.await.expect("at once").err().unwrap();
        assert!(failed.unsent.is_some(), "{:?}", failed.error);
    }
}
