//! A minimal HTTP/1.1 server connection, for malformed responses that no server library sends.

use std::io;
use std::time::Duration;

use axum::body::Bytes;
use axum::response::Response;
use bytes::{Buf as _, BytesMut};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::state::SeenRequest;

/// The longest head or body that is read, in bytes.
const LIMIT: usize = 1 << 20;

/// A connection, and the bytes that were read beyond the last request.
pub(super) struct Wire {
    stream: TcpStream,
    read: BytesMut,
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, read: BytesMut::new() }
    }

    /// Reads the next request with its body.
    ///
    /// # Errors
    /// When the client closes first, or sends no HTTP.
    pub(super) async fn request(&mut self) -> io::Result<(SeenRequest, Bytes)> {
        let end = loop {
            match position(&self.read, b"\r\n\r\n") {
                Some(end) => break end,
                None => self.read_more().await?,
            }
        };
        let head = self.read.split_to(end);
        self.read.advance(4);
        let seen = request_head(&head).ok_or_else(malformed)?;
        let body = if seen.headers.contains_key(TRANSFER_ENCODING) {
            self.chunks().await?
        } else {
            let length =
                seen.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
            self.exactly(length.unwrap_or(0)).await?
        };
        Ok((seen, body.freeze()))
    }

    /// Reads a chunked body (RFC 9112, section 7.1). Trailers are not supported: no test sends any.
    async fn chunks(&mut self) -> io::Result<BytesMut> {
        let mut body = BytesMut::new();
        loop {
            let end = loop {
                match position(&self.read, b"\r\n") {
                    Some(end) => break end,
                    None => self.read_more().await?,
                }
            };
            let size = self.read.split_to(end);
            self.read.advance(2);
            let size = std::str::from_utf8(&size).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
            let size = size.filter(|size| *size <= LIMIT).ok_or_else(malformed)?;
            body.extend_from_slice(&self.exactly(size).await?);
            self.exactly(2).await?;
            if size == 0 {
                return Ok(body);
            }
        }
    }

    async fn exactly(&mut self, length: usize) -> io::Result<BytesMut> {
        while self.read.len() < length {
            self.read_more().await?;
        }
        Ok(self.read.split_to(length))
    }

    async fn read_more(&mut self) -> io::Result<()> {
        if self.read.len() > LIMIT {
            return Err(malformed());
        }
        match self.stream.read_buf(&mut self.read).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Waits, and reads meanwhile to notice a close.
    ///
    /// # Errors
    /// When the client closes in the meantime.
    pub(super) async fn pause(&mut self, pause: Duration) -> io::Result<()> {
        let closed = async {
            loop {
                self.read_more().await?;
            }
        };
        tokio::time::timeout(pause, closed).await.unwrap_or(Ok(()))
    }

    /// Sends nothing more, and returns when the client closes.
    pub(super) async fn hang(&mut self) -> io::Error {
        loop {
            if let Err(error) = self.read_more().await {
                return error;
            }
        }
    }

    /// Makes dropping the connection send a reset (RST) instead of a close (FIN).
    pub(super) fn reset(&self) -> io::Result<()> {
        // `set_linger` is deprecated because lingering blocks the thread. With a time of zero it does not. The
        // replacement `set_zero_linger` is missing in the oldest tokio that this crate supports.
        #[allow(deprecated, reason = "see above")]
        self.stream.set_linger(Some(Duration::ZERO))
    }
}

/// A response before it is written.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Reply {
    /// Collects a response of the fake. Its body is in memory and cannot fail.
    pub(super) async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
        Self { status: parts.status, headers: parts.headers, body }
    }

    /// 200 with this body, and no other header.
    pub(super) fn ok(kind: &'static str, body: impl Into<Bytes>) -> Self {
        let headers = [(CONTENT_TYPE, HeaderValue::from_static(kind))].into_iter().collect();
        Self { status: StatusCode::OK, headers, body: body.into() }
    }

    /// The head, with these framing lines such as `Content-Length`.
    pub(super) fn head(&self, version: &str, framing: &str) -> Vec<u8> {
        let mut head = format!("{version} {}\r\n", self.status).into_bytes();
        for (name, value) in &self.headers {
            for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                head.extend_from_slice(part);
            }
        }
        head.extend_from_slice(framing.as_bytes());
        head.extend_from_slice(b"\r\n");
        head
    }

    /// The head with this `Content-Length`.
    pub(super) fn head_of(&self, length: usize) -> Vec<u8> {
        self.head("HTTP/1.1", &format!("Content-Length: {length}\r\n"))
    }

    /// The head and the body.
    pub(super) fn whole(&self) -> Vec<u8> {
        let mut whole = self.head_of(self.body.len());
        whole.extend_from_slice(&self.body);
        whole
    }
}

fn request_head(head: &[u8]) -> Option<SeenRequest> {
    let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let mut words = lines.next()?.split(|byte| *byte == b' ');
    let method = Method::from_bytes(words.next()?).ok()?;
    let uri = Uri::try_from(words.next()?).ok()?;
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_at_checked(position(line, b":")?)?;
        let value = value.get(1..)?.trim_ascii();
        headers.append(HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?);
    }
    Some(SeenRequest { method, uri, headers })
}

fn position(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn malformed() -> io::Error {
    io::Error::from(io::ErrorKind::InvalidData)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_head_is_parsed_byte_for_byte() {
        let head = b"POST /api/auth/x?y=%20 HTTP/1.1\r\nHost:  a:1 \r\nX: \xff\r\nx: 2\r\nEmpty:";
        let seen = request_head(head).unwrap();
        assert_eq!((seen.method, seen.uri.to_string()), (Method::POST, "/api/auth/x?y=%20".to_owned()));
        let values: Vec<_> = seen.headers.get_all("x").iter().map(HeaderValue::as_bytes).collect();
        assert_eq!((seen.headers["host"].as_bytes(), values), (&b"a:1"[..], vec![&b"\xff"[..], b"2"]));
        assert_eq!(seen.headers["empty"], "");
        for bad in [&b""[..], b"GET", b"GET / HTTP/1.1\r\nno colon", b"GET / HTTP/1.1\r\n: x"] {
            assert!(request_head(bad).is_none());
        }
    }

    #[tokio::test]
    async fn request_body_ends_at_its_content_length_or_last_chunk() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut wire = Wire::new(listener.accept().await.unwrap().0);
        let sent = b"POST /1 HTTP/1.1\r\nContent-Length: 3\r\n\r\none\
            POST /2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\ntw\r\n1\r\no\r\n0\r\n\r\n\
            GET /3 HTTP/1.1\r\n\r\n\
            POST /4 HTTP/1.1\r\nContent-Length: 9\r\n\r\nfo";
        client.write_all(sent).await.unwrap();
        drop(client);
        for (path, expected) in [("/1", "one"), ("/2", "two"), ("/3", "")] {
            let (seen, body) = wire.request().await.unwrap();
            assert_eq!((seen.uri.path(), &*body), (path, expected.as_bytes()));
        }
        assert!(wire.request().await.is_err());
    }
}
