//! The upstream of every side: plain hyper with HTTP/1.1 and keep-alive, so that the upstream is rarely the bottleneck.

use std::convert::Infallible;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, UnixListener};
use tokio::time::{Interval, interval};

use crate::Error;
use crate::shared::sessions::SESSION;

/// The response of Auth.js to `/providers` with two providers.
pub(super) const PROVIDERS: &str = concat!(
    r#"{"github":{"id":"github","name":"GitHub","type":"oauth","#,
    r#""signinUrl":"http://127.0.0.1/api/auth/signin/github","#,
    r#""callbackUrl":"http://127.0.0.1/api/auth/callback/github"},"#,
    r#""credentials":{"id":"credentials","name":"Credentials","type":"credentials","#,
    r#""signinUrl":"http://127.0.0.1/api/auth/signin","callbackUrl":"http://127.0.0.1/api/auth/callback"}}"#,
);

/// The size of the large and of the slow response.
pub(crate) const MEBIBYTE: usize = 1 << 20;
static ZEROS: [u8; MEBIBYTE] = [0; MEBIBYTE];

/// The slow response is sent in pieces of this size.
const PIECE: usize = 16 << 10;
/// The pause between the pieces. The slow response takes about six seconds.
const PAUSE: Duration = Duration::from_millis(100);

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// Serves on a port, and on the Unix socket at this path too, unless it is `-`.
pub(super) async fn serve(listener: TcpListener, socket: &str) -> Result<(), Error> {
    if socket != "-" {
        let listener = UnixListener::bind(socket)?;
        // The workers of nginx run as another user.
        std::fs::set_permissions(socket, Permissions::from_mode(0o777))?;
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(
                    http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)),
                );
            }
        });
    }
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)));
    }
}

async fn answer(request: Request<Incoming>) -> Result<Answer, Infallible> {
    let full = |bytes: &'static [u8]| Full::new(Bytes::from_static(bytes)).boxed_unsync();
    let (status, kind, body) = match request.uri().path() {
        "/api/auth/providers" => (StatusCode::OK, "application/json", full(PROVIDERS.as_bytes())),
        "/api/auth/big" => (StatusCode::OK, "application/octet-stream", full(&ZEROS)),
        "/api/auth/slow" => (StatusCode::OK, "application/octet-stream", Trickle::new().boxed_unsync()),
        "/api/auth/session" => (StatusCode::OK, "application/json", full(SESSION.as_bytes())),
        _ => (StatusCode::NOT_FOUND, "text/plain", full(b"not here")),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    Ok(response)
}

/// A body of one mebibyte, sent piece by piece.
struct Trickle {
    left: usize,
    pause: Interval,
}

impl Trickle {
    fn new() -> Self {
        Self { left: MEBIBYTE / PIECE, pause: interval(PAUSE) }
    }
}

impl Body for Trickle {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(left) = self.left.checked_sub(1) else { return Poll::Ready(None) };
        ready!(self.pause.poll_tick(cx));
        self.left = left;
        Poll::Ready(ZEROS.get(..PIECE).map(|piece| Ok(Frame::data(Bytes::from_static(piece)))))
    }
}
