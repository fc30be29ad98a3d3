//! One `redis-server` in its own temporary folder.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// A `redis-server`. It is killed on drop, and its folder is removed.
#[derive(Debug)]
pub struct Server {
    /// The port on 127.0.0.1.
    pub port: u16,
    args: Vec<String>,
    folder: PathBuf,
    child: Option<Child>,
}

impl Server {
    /// Starts a server that keeps no data on disk.
    #[must_use]
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// Starts a server with more arguments, such as `["--appendonly", "yes"]`.
    #[must_use]
    pub fn with(args: &[&str]) -> Self {
        let mut server = Self::stopped(args);
        server.restart();
        server
    }

    /// A server that was never started.
    #[must_use]
    pub fn stopped(args: &[&str]) -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let name = format!("auth-proxy-redis-{}-{}", std::process::id(), COUNTER.fetch_add(1, Relaxed));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        Self { port: free_port(), args, folder, child: None }
    }

    /// The folder of its files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Starts the server again on the same port, with the data that is on disk.
    pub fn restart(&mut self) {
        self.spawn();
        let until = Instant::now() + Duration::from_secs(20);
        while !self.answers() {
            if let Some(status) = self.child.as_mut().unwrap().try_wait().unwrap() {
                panic!("redis-server ended with {status}: {}", self.log());
            }
            assert!(Instant::now() < until, "redis-server does not answer: {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn spawn(&mut self) {
        self.kill();
        let log = File::options().append(true).create(true).open(self.folder.join("log")).unwrap();
        let mut command = Command::new("redis-server");
        if self.args.first().is_some_and(|arg| arg.ends_with(".conf")) {
            command.args(&self.args);
        } else {
            command
                .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""])
                .args(["--enable-debug-command", "yes", "--repl-diskless-sync-delay", "0"])
                .args(&self.args);
        }
        command.current_dir(&self.folder).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.child = Some(command.spawn().expect("cannot start redis-server: is it installed?"));
    }

    /// Whether the server answers in plain text. A server with TLS has another port for that.
    fn answers(&self) -> bool {
        self.try_ask("PING").is_some_and(|answer| answer.contains("PONG") || answer.contains("NOAUTH"))
    }

    /// What the server wrote.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Kills the server, as a crash does.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }

    /// Pauses the server: its connections stay open, but nothing answers.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Continues a paused server.
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.child.as_ref().expect("a running server").id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Sends a command in plain text, such as `CONFIG SET maxmemory 1`, and returns the raw answer.
    #[must_use]
    pub fn ask(&self, command: &str) -> String {
        self.try_ask(command).unwrap_or_else(|| panic!("no answer to {command}: {}", self.log()))
    }

    /// Sends a command, and asserts that it succeeded.
    pub fn run(&self, command: &str) {
        let answer = self.ask(command);
        assert!(!answer.starts_with('-'), "{command}: {answer}");
    }

    /// The same. `None` if the server does not answer.
    pub fn try_ask(&self, command: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        stream.write_all(format!("{command}\r\n").as_bytes()).ok()?;
        // The server answers, then closes. A sentinel has no `QUIT`.
        stream.shutdown(Shutdown::Write).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        Some(String::from_utf8_lossy(&answer).into_owned())
    }

    /// A number of `INFO`, such as `used_memory`.
    #[must_use]
    pub fn info(&self, field: &str) -> u64 {
        let info = self.ask("INFO everything");
        let line = info.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        line.unwrap_or_else(|| panic!("no {field}")).trim().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

/// A free port below the ports of clients, so that no client connection takes it while a server is down, and with a free
/// port 10,000 above for the bus of a cluster.
pub(super) fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let step = NEXT.fetch_add(1, Relaxed).wrapping_add(std::process::id().wrapping_mul(37)) % 10_000;
        let port = u16::try_from(12_000 + step).unwrap();
        let is_free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if is_free(port) && is_free(port + 10_000) {
            return port;
        }
    }
}
