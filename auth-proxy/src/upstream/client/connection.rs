//! One HTTP/1.1 connection. It has no task: it reads and writes only while a request or a response body polls it.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1;

use super::stream::Stream;

type Driver = http1::Connection<Stream, Body>;

pub(super) struct Connection {
    sender: http1::SendRequest<Body>,
    /// `None` once the connection is closed. hyper returns an unwritten request only after the driver is dropped.
    driver: Option<Pin<Box<Driver>>>,
}

/// A request that got no response.
pub(super) struct Unanswered {
    pub(super) error: hyper::Error,
    /// The request, when nothing of it was written.
    pub(super) unwritten: Option<Box<Request<Body>>>,
}

impl Connection {
    pub(super) async fn open(stream: Stream) -> hyper::Result<Self> {
        let (sender, driver) = http1::handshake(stream).await?;
        Ok(Self { sender, driver: Some(Box::pin(driver)) })
    }

    /// Reads and writes as much as is possible now. Ready when the connection is closed.
    pub(super) fn drive(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.driver.as_mut().is_some_and(|driver| driver.as_mut().poll(cx).is_ready()) {
            self.driver = None;
        }
        if self.driver.is_none() { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Whether the connection can take a request: it is open, and the previous request is finished.
    pub(super) fn is_idle(&mut self) -> bool {
        // A waker that does nothing is enough: the next user polls the connection again.
        self.drive(&mut Context::from_waker(Waker::noop())).is_pending() && self.sender.is_ready()
    }

    /// Sends a request and waits for the head of its response. Polls the connection meanwhile.
    pub(super) async fn exchange(
        mut self,
        request: Request<Body>,
    ) -> Result<(Response<Incoming>, Self), Unanswered> {
        let mut response = pin!(self.sender.try_send_request(request));
        let driver = &mut self.driver;
        let response = poll_fn(|cx| {
            if driver.as_mut().is_some_and(|driver| driver.as_mut().poll(cx).is_ready()) {
                // `response` then fails with the reason of the close.
                *driver = None;
            }
            response.as_mut().poll(cx)
        });
        match response.await {
            Ok(response) => Ok((response, self)),
            Err(mut error) => {
                let unwritten = error.take_message().map(Box::new);
                Err(Unanswered { error: error.into_error(), unwritten })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::{sleep, timeout};

    use super::*;

    fn request() -> Request<Body> {
        Request::new(Body::empty())
    }

    /// The server closes the connection between the check that it is idle and its use.
    #[tokio::test]
    async fn request_on_a_closed_connection_is_returned_unwritten() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let connection = Connection::open(Stream::Plain(TokioIo::new(stream))).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        server.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        let Ok((_, mut connection)) = connection.exchange(request()).await else { panic!("no response") };
        assert!(connection.is_idle());
        // Reads everything that was sent, so that the close is a FIN and not a reset.
        let mut sent = [0; 16];
        assert_eq!(server.read(&mut sent).await.unwrap(), 16);
        server.read_buf(&mut Vec::new()).await.unwrap();
        drop(server);
        sleep(Duration::from_millis(50)).await;
        let response = timeout(Duration::from_secs(10), connection.exchange(request()));
        let unanswered = response.await.expect("the request must fail at once").err().unwrap();
        assert!(unanswered.unwritten.is_some(), "{:?}", unanswered.error);
    }
}
