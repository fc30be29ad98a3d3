//! A Unix socket in front of a server that listens on a port.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpStream, UnixListener};
use tokio::task::{JoinHandle, JoinSet};

/// A Unix socket whose connections are passed to a port. On drop it closes, and its file is removed.
#[derive(Debug)]
pub struct UnixSocket {
    path: PathBuf,
    to: SocketAddr,
    listening: Option<JoinHandle<()>>,
}

impl UnixSocket {
    /// Opens a socket in front of this address, or of the URL of a server, such as `http://127.0.0.1:3000`.
    ///
    /// # Panics
    /// When the socket cannot be opened.
    #[must_use]
    pub fn before(server: &str) -> Self {
        let to = server.trim_start_matches("http://").parse().expect("an address with a port");
        let mut socket = Self { path: free_socket(), to, listening: None };
        socket.open();
        socket
    }

    /// The path of its file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its address, such as `unix:/tmp/auth.sock`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("unix:{}", self.path.display())
    }

    /// Makes the file anew, as a server does that starts.
    ///
    /// # Panics
    /// When the socket cannot be opened.
    pub fn open(&mut self) {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => panic!("{error}"),
            _ => {}
        }
        let (listener, to) = (UnixListener::bind(&self.path).unwrap(), self.to);
        self.listening = Some(tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                connections.spawn(async move {
                    let Ok(mut server) = TcpStream::connect(to).await else { return };
                    let _ = copy_bidirectional(&mut stream, &mut server).await;
                });
                while connections.try_join_next().is_some() {}
            }
        }));
    }

    /// Ends the listener and its connections, and leaves the file, as a server does that is killed.
    pub async fn kill(&mut self) {
        if let Some(listening) = self.listening.take() {
            listening.abort();
            // The listener and the connections are dropped with the task.
            let _ = listening.await;
        }
    }

    /// Ends the listener and its connections, and removes the file, as a server does that stops.
    ///
    /// # Panics
    /// When the file cannot be removed.
    pub async fn close(&mut self) {
        self.kill().await;
        std::fs::remove_file(&self.path).unwrap();
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        if let Some(listening) = &self.listening {
            listening.abort();
        }
        let _ = std::fs::remove_file(&self.path);
    }
}

/// A path for a socket, at which nothing is.
#[must_use]
pub fn free_socket() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("auth-proxy-{}-{}.sock", std::process::id(), NEXT.fetch_add(1, Relaxed));
    let path = std::env::temp_dir().join(name);
    let _ = std::fs::remove_file(&path);
    path
}
