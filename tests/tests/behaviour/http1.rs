//! A strict parser of HTTP/1.1 messages (RFC 9112), and an upstream that records every request. The parser rejects all
//! messages that other parsers might split differently.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// An HTTP request or response.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// The request line or the status line.
    pub(crate) start: String,
    /// Names in lower case, with their values, in order.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Message {
    /// All values of a header.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The status of a response.
    pub(crate) fn status(&self) -> u16 {
        self.start.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }
}

/// Removes the first message from a buffer. `Ok(None)` if it is incomplete.
///
/// # Errors
/// A description of the syntax error.
pub(crate) fn take(buffer: &mut Vec<u8>) -> Result<Option<Message>, String> {
    let Some(end) = find(buffer, b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&buffer[..end]).map_err(|error| format!("head: {error}"))?;
    let mut lines = head.split("\r\n");
    let start = lines.next().unwrap_or_default().to_owned();
    let mut headers = Vec::new();
    for line in std::iter::once(start.as_str()).chain(head.split("\r\n").skip(1)) {
        if line.bytes().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
            return Err(format!("a bare CR, LF or NUL in {line:?}"));
        }
    }
    for line in lines {
        let (name, value) = line.split_once(':').ok_or_else(|| format!("not a header: {line:?}"))?;
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(format!("not a header name: {line:?}"));
        }
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let message = Message { start, headers, body: String::new() };
    let body = match (message.all("content-length").as_slice(), message.all("transfer-encoding").as_slice()) {
        ([], []) => Some((0..0, 0)),
        ([length], []) => sized(length, buffer.len() - end - 4)?,
        ([], ["chunked"]) => {
            return Ok(chunked(&buffer[end + 4..])?.map(|(body, length)| {
                buffer.drain(..end + 4 + length);
                Message { body, ..message }
            }));
        }
        framing => return Err(format!("ambiguous framing: {framing:?}")),
    };
    let Some((body, length)) = body else { return Ok(None) };
    let body = String::from_utf8_lossy(&buffer[end + 4..][body]).into_owned();
    buffer.drain(..end + 4 + length);
    Ok(Some(Message { body, ..message }))
}

fn sized(length: &str, arrived: usize) -> Result<Option<(std::ops::Range<usize>, usize)>, String> {
    let is_number = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
    let length: usize =
        length.parse().ok().filter(|_| is_number).ok_or_else(|| format!("not a length: {length:?}"))?;
    Ok((length <= arrived).then_some((0..length, length)))
}

/// Decodes a chunked body (RFC 9112, section 7.1) without extensions and trailers. Returns the data and the encoded
/// length in bytes.
fn chunked(bytes: &[u8]) -> Result<Option<(String, usize)>, String> {
    let (mut data, mut at) = (Vec::new(), 0);
    loop {
        let Some(end) = find(&bytes[at..], b"\r\n") else { return Ok(None) };
        let line = String::from_utf8_lossy(&bytes[at..at + end]).into_owned();
        let size = usize::from_str_radix(&line, 16).map_err(|_| format!("not a chunk size: {line:?}"))?;
        at += end + 2;
        let Some(chunk) = bytes.get(at..at + size + 2) else { return Ok(None) };
        let (chunk, line_end) = chunk.split_at(size);
        if line_end != b"\r\n" {
            return Err(format!("no CRLF after a chunk: {line_end:?}"));
        }
        data.extend_from_slice(chunk);
        at += size + 2;
        if size == 0 {
            return Ok(Some((String::from_utf8_lossy(&data).into_owned(), at)));
        }
    }
}

pub(crate) fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// The requests that the upstream received.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) requests: Vec<Message>,
    /// Syntax errors, at most one for each connection.
    pub(crate) faults: Vec<String>,
}

/// An upstream that keeps connections open and reads bytes after a request as the next request. Each response body
/// contains the request line and body.
pub(crate) struct Recorder {
    pub(crate) url: String,
    log: Arc<Mutex<Log>>,
}

impl Recorder {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let log = Arc::new(Mutex::new(Log::default()));
        let shared = Arc::clone(&log);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, Arc::clone(&shared)));
            }
        });
        Self { url, log }
    }

    /// The requests since the last call.
    pub(crate) fn take(&self) -> Log {
        std::mem::take(&mut self.log.lock().unwrap())
    }
}

async fn serve(mut socket: TcpStream, log: Arc<Mutex<Log>>) {
    let mut buffer = Vec::new();
    loop {
        match take(&mut buffer) {
            Ok(Some(request)) => {
                let body = format!("{} | {}", request.start, request.body);
                log.lock().unwrap().requests.push(request);
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                if socket.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
                continue;
            }
            Ok(None) => {}
            Err(fault) => {
                log.lock().unwrap().faults.push(fault);
                return;
            }
        }
        let mut piece = [0; 4096];
        match socket.read(&mut piece).await {
            Ok(0) | Err(_) => return,
            Ok(read) => buffer.extend_from_slice(&piece[..read]),
        }
    }
}

/// Sends exactly these bytes. Reads responses until the connection closes.
///
/// # Panics
/// If the connection stays open for 20 s, or if the received bytes are not valid HTTP.
pub(crate) async fn exchange(addr: std::net::SocketAddr, bytes: &[u8]) -> Vec<Message> {
    let mut socket = TcpStream::connect(addr).await.unwrap();
    // The connection may be closed before all bytes are written.
    socket.write_all(bytes).await.ok();
    let mut buffer = Vec::new();
    let read = socket.read_to_end(&mut buffer);
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(300)]).into_owned();
    tokio::time::timeout(std::time::Duration::from_secs(20), read)
        .await
        .unwrap_or_else(|_| panic!("the connection stays open: {shown:?}"))
        .ok();
    let mut answers = Vec::new();
    while !buffer.is_empty() {
        match take(&mut buffer) {
            Ok(Some(answer)) => answers.push(answer),
            other => panic!("{shown:?}: {other:?}, then {:?}", String::from_utf8_lossy(&buffer)),
        }
    }
    answers
}
