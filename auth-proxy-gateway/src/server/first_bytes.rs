//! Waits until a client has begun to speak, so that a silent one is let go.

use std::io;
use std::time::Duration;

use tokio::net::TcpStream;

/// What a client sends first on an HTTP/2 connection (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Between two looks at a preface that is not complete.
const PAUSE: Duration = Duration::from_millis(20);

/// Waits until it is clear which version of HTTP a client speaks. hyper waits for that without a limit.
///
/// # Errors
/// When the client closes the connection, or the time is over.
pub(super) async fn wait(stream: &TcpStream, limit: Duration) -> io::Result<()> {
    tokio::time::timeout(limit, version_known(stream)).await.unwrap_or_else(|elapsed| Err(elapsed.into()))
}

async fn version_known(stream: &TcpStream) -> io::Result<()> {
    let mut first = [0; PREFACE.len()];
    loop {
        let count = stream.peek(&mut first).await?;
        let seen = first.get(..count).unwrap_or_default();
        if seen.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if seen.len() == PREFACE.len() || !PREFACE.starts_with(seen) {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
}
