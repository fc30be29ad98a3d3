//! An upstream that computes each response from the request head, and can reset the connection.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How the upstream responds to a request head.
pub(crate) enum Reply {
    /// Sends these bytes.
    Bytes(String),
    /// Sends these bytes, then resets the connection.
    Reset(String),
}

pub(crate) struct StrictUpstream {
    pub(crate) url: String,
    server: JoinHandle<()>,
    heads: Arc<Mutex<usize>>,
}

/// The largest head that Node accepts (default of `--max-http-header-size`).
pub(crate) const NODE_LIMIT: usize = 16 * 1024;

impl StrictUpstream {
    /// Starts an upstream. `reply` gets the request head in lower case.
    pub(crate) async fn start(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (reply, heads) = (Arc::new(reply), Arc::new(Mutex::new(0)));
        let count = Arc::clone(&heads);
        let server = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let Ok((stream, _)) = listener.accept().await else { return };
                let (reply, count) = (Arc::clone(&reply), Arc::clone(&count));
                connections.spawn(async move { serve(stream, reply.as_ref(), &count).await.ok() });
            }
        });
        Self { url, server, heads }
    }

    /// How many requests arrived so far.
    pub(crate) fn heads(&self) -> usize {
        *self.heads.lock().unwrap()
    }

    /// Stops listening, so that connections are refused.
    pub(crate) async fn stop(mut self) {
        self.server.abort();
        (&mut self.server).await.ok();
    }
}

impl Drop for StrictUpstream {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    reply: &(impl Fn(&str) -> Reply + Send + Sync),
    heads: &Mutex<usize>,
) -> std::io::Result<()> {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") && head.len() <= NODE_LIMIT {
            head.push(stream.read_u8().await?);
        }
        *heads.lock().unwrap() += 1;
        let answer = if head.len() > NODE_LIMIT {
            // Node does the same: it closes the socket while bytes are unread, which resets the connection.
            Reply::Reset(
                "HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n".to_owned(),
            )
        } else {
            reply(&String::from_utf8_lossy(&head).to_ascii_lowercase())
        };
        match answer {
            Reply::Bytes(bytes) => stream.write_all(bytes.as_bytes()).await?,
            Reply::Reset(bytes) => {
                stream.write_all(bytes.as_bytes()).await?;
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                #[expect(deprecated, reason = "a linger time of zero does not block")]
                return stream.set_linger(Some(std::time::Duration::ZERO));
            }
        }
    }
}

/// A complete response.
pub(crate) fn ok(status: &str, headers: &str, body: &str) -> Reply {
    Reply::Bytes(format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()))
}
