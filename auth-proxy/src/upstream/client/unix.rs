//! Connects to a Unix socket.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;

use tokio::net::UnixStream;

/// The pauses between attempts while the queue of the listener is full.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// Connects to the socket at this path. While the queue of its listener is full, it waits, without a limit of its own.
///
/// Over TCP the system itself waits then. A Unix socket that does not block gives EAGAIN at once (`unix(7)`, `connect(2)`).
///
/// # Errors
/// When there is no such socket, nobody listens at it, or this process may not write to it. The error names the path.
pub(super) async fn connect(path: &Path) -> io::Result<UnixStream> {
    let mut pause = FIRST_PAUSE;
    loop {
        match UnixStream::connect(path).await {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => {
                return Err(io::Error::new(error.kind(), format!("{}: {error}", path.display())));
            }
            Ok(stream) => return Ok(stream),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::{UnixListener, UnixStream as Blocking};

    use super::*;

    #[tokio::test]
    async fn full_queue_of_the_listener_is_waited_for() {
        let path = std::env::temp_dir().join(format!("auth-proxy-queue-{}.sock", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).unwrap();
        let mut waiting = Vec::new();
        loop {
            let socket = tokio::time::timeout(Duration::from_millis(100), connect(&path)).await;
            match socket {
                Ok(socket) => waiting.push(socket.unwrap()),
                // The queue is full.
                Err(_) => break,
            }
            assert!(waiting.len() < 100_000, "the queue has no end");
        }
        let connecting = connect(&path);
        let accepted = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            let accepted: Blocking = listener.accept().unwrap().0;
            (listener, accepted)
        });
        let connected = tokio::time::timeout(Duration::from_secs(10), connecting).await;
        assert!(connected.expect("a place in the queue").is_ok());
        drop(accepted.join().unwrap());
        std::fs::remove_file(&path).unwrap();
        let error = connect(&path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().starts_with(path.to_str().unwrap()), "{error}");
    }
}
