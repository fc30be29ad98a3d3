//! Sends the client the malformed, slow or missing response of each fault.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use http::header::{CONTENT_ENCODING, LOCATION, RETRY_AFTER, SET_COOKIE};
use http::{HeaderName, HeaderValue, StatusCode};
use tokio::net::TcpStream;

use super::bodies;
use super::dispatch::answer;
use super::fault::Fault;
use super::raw::{Reply, Wire};
use super::state::Fake;

/// The pause between the last bytes and a reset, so that the bytes arrive first.
const BEFORE_RESET: Duration = Duration::from_millis(50);

/// How many bytes of an announced body are not sent.
const MISSING: usize = 64;

/// Responds to each request of a connection with the fault, until the connection ends.
pub(super) async fn serve(fault: Fault, stream: TcpStream, fake: Arc<Fake>, address: SocketAddr) {
    let mut wire = Wire::new(stream);
    let Err(error) = play_on(fault, &mut wire, &fake, address).await;
    tracing::trace!(target: "auth_proxy::testing", ?fault, %error, "connection ended");
}

async fn play_on(fault: Fault, wire: &mut Wire, fake: &Fake, address: SocketAddr) -> io::Result<Infallible> {
    loop {
        let (seen, body) = wire.request().await?;
        let own_url = format!("http://{address}{}", seen.uri);
        // Robo may never respond, so return when the client closes too.
        let database_is_down = fault == Fault::DatabaseDown;
        let reply = async { Ok(Reply::of(answer(fake, seen, &body, database_is_down).await).await) };
        let closed = async { Err(wire.hang().await) };
        let reply = first(reply, closed).await?;
        play(fault, wire, reply, &own_url, &fake.settings.cookie_name).await?;
    }
}

/// Responds to one request. An error ends the connection.
async fn play(
    fault: Fault,
    wire: &mut Wire,
    mut reply: Reply,
    own_url: &str,
    cookie_name: &str,
) -> io::Result<()> {
    match fault {
        // The response is that of a server without its database.
        Fault::DatabaseDown => {}
        Fault::Refused | Fault::ResetBeforeHead => {
            wire.reset()?;
            return Err(fault_done());
        }
        Fault::CloseBeforeHead => return Err(fault_done()),
        Fault::HangBeforeHead => return Err(wire.hang().await),
        Fault::HangWithinHead => {
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Ty").await?;
            return Err(wire.hang().await);
        }
        Fault::EndlessHints => loop {
            wire.send(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n").await?;
        },
        Fault::Trickle(pause) => return trickle(wire, &reply.whole(), pause).await,
        Fault::TrickleBody(pause) => {
            wire.send(&reply.head_of(reply.body.len())).await?;
            return trickle(wire, &reply.body, pause).await;
        }
        Fault::HangWithinBody => {
            truncated(wire, &reply).await?;
            return Err(wire.hang().await);
        }
        Fault::ResetWithinBody => {
            truncated(wire, &reply).await?;
            wire.pause(BEFORE_RESET).await?;
            wire.reset()?;
            return Err(fault_done());
        }
        Fault::TruncatedBody => {
            truncated(wire, &reply).await?;
            return Err(fault_done());
        }
        Fault::TruncatedChunks => {
            wire.send(&reply.head("HTTP/1.1", "Transfer-Encoding: chunked\r\n")).await?;
            // A chunk of length zero would end the body.
            let body = if reply.body.is_empty() { &b" "[..] } else { &reply.body };
            wire.send(format!("{:x}\r\n", body.len()).as_bytes()).await?;
            wire.send(body).await?;
            wire.send(b"\r\n").await?;
            return Err(fault_done());
        }
        Fault::ContentLengthTooShort => return framed(wire, &reply, &half(&reply)).await,
        Fault::ContentLengthNotANumber => return framed(wire, &reply, "Content-Length: twelve\r\n").await,
        Fault::ContentLengthTwice => {
            let length = reply.body.len();
            let two = format!("Content-Length: {length}\r\nContent-Length: {}\r\n", length + 1);
            return framed(wire, &reply, &two).await;
        }
        Fault::Http10 => {
            wire.send(&reply.head("HTTP/1.0", "")).await?;
            wire.send(&reply.body).await?;
            return Err(fault_done());
        }
        Fault::EarlyClose => {
            wire.send(&reply.whole()).await?;
            return Err(fault_done());
        }
        Fault::Garbage => {
            wire.send(b"SSH-2.0-OpenSSH_9.9\r\n\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03").await?;
            return Err(fault_done());
        }
        Fault::HugeJson => return huge(wire).await,
        Fault::Delayed(pause) => wire.pause(pause).await?,
        Fault::InternalError => reply.status = StatusCode::INTERNAL_SERVER_ERROR,
        Fault::Overloaded => {
            reply.status = StatusCode::SERVICE_UNAVAILABLE;
            reply.headers.insert(RETRY_AFTER, HeaderValue::from_static("7"));
        }
        Fault::RateLimited => {
            reply = json(r#"{"message":"Too many requests. Please try again later."}"#);
            reply.status = StatusCode::TOO_MANY_REQUESTS;
            reply.headers.insert(HeaderName::from_static("x-retry-after"), HeaderValue::from_static("7"));
        }
        Fault::RedirectLoop => {
            reply = Reply::ok("text/plain", "");
            reply.status = StatusCode::FOUND;
            reply.headers.insert(LOCATION, value(own_url));
        }
        Fault::Html => reply = Reply::ok("text/html; charset=utf-8", bodies::PAGE),
        Fault::JsonString => reply = json("\"API Route not found.\""),
        Fault::EmptyObject => reply = json("{}"),
        Fault::EmptyArray => reply = json("[]"),
        Fault::Undecided => reply = json("null"),
        Fault::NestedJson => reply = json(bodies::nested()),
        Fault::InvalidUtf8 => reply = json(bodies::INVALID_UTF8),
        Fault::GzipBomb => {
            reply = json(bodies::gzip_bomb());
            reply.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Fault::ManyHeaders => {
            for n in 0..1_000 {
                if let Ok(name) = HeaderName::try_from(format!("x-filler-{n}")) {
                    reply.headers.insert(name, HeaderValue::from_static("filler"));
                }
            }
        }
        Fault::HugeHeader => {
            reply.headers.insert(HeaderName::from_static("x-huge"), value(&"h".repeat(64 * 1024)));
        }
        Fault::MalformedCookies => {
            for line in bodies::cookies(cookie_name) {
                reply.headers.extend(HeaderValue::from_bytes(&line).map(|line| (SET_COOKIE, line)));
            }
        }
    }
    wire.send(&reply.whole()).await
}

/// Sends the response with a `Content-Length` that is too long.
async fn truncated(wire: &mut Wire, reply: &Reply) -> io::Result<()> {
    wire.send(&reply.head_of(reply.body.len() + MISSING)).await?;
    wire.send(&reply.body).await
}

/// Sends the response with these framing headers.
async fn framed(wire: &mut Wire, reply: &Reply, framing: &str) -> io::Result<()> {
    wire.send(&reply.head("HTTP/1.1", framing)).await?;
    wire.send(&reply.body).await
}

/// A `Content-Length` of half the body.
fn half(reply: &Reply) -> String {
    format!("Content-Length: {}\r\n", reply.body.len() / 2)
}

/// Sends one byte at a time.
async fn trickle(wire: &mut Wire, bytes: &[u8], pause: Duration) -> io::Result<()> {
    for byte in bytes {
        wire.send(&[*byte]).await?;
        wire.pause(pause).await?;
    }
    Ok(())
}

/// Sends the session of 100 MB without holding it in memory.
async fn huge(wire: &mut Wire) -> io::Result<()> {
    let (before, piece, pieces, after) = bodies::HUGE;
    let length = before.len() + piece.len() * pieces + after.len();
    wire.send(&json("").head_of(length)).await?;
    wire.send(before).await?;
    for _ in 0..pieces {
        wire.send(piece).await?;
    }
    wire.send(after).await
}

fn json(body: impl Into<Bytes>) -> Reply {
    Reply::ok("application/json", body)
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

/// The error that ends the connection after the fault.
fn fault_done() -> io::Error {
    io::Error::other("the fault ends the connection")
}

/// The output of the future that is ready first. If both are ready, `a` counts.
async fn first<T>(a: impl Future<Output = T>, b: impl Future<Output = T>) -> T {
    let (mut a, mut b) = (std::pin::pin!(a), std::pin::pin!(b));
    std::future::poll_fn(|cx| match a.as_mut().poll(cx) {
        std::task::Poll::Pending => b.as_mut().poll(cx),
        ready => ready,
    })
    .await
}
