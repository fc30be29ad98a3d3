use std::fs::File;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A child process that is killed on drop.
pub(crate) struct Process {
    child: Child,
    /// The first line of its standard output.
    pub(crate) first_line: String,
}

impl Process {
    /// Starts a program and waits for its first line.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("cannot start the program");
        let mut first_line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first_line).unwrap();
        assert!(!first_line.is_empty(), "{command:?} printed nothing");
        Self { child, first_line: first_line.trim().to_owned() }
    }

    /// Starts a server and waits until it responds on its port. The output goes to a file: a closed pipe would end the
    /// server.
    pub(crate) fn answering(command: &mut Command, port: u16, path: &str) -> Self {
        let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("server-{port}.log"));
        let file = File::create(&log).unwrap();
        command.stdin(Stdio::piped()).stdout(file.try_clone().unwrap()).stderr(file);
        let mut process =
            Self { child: command.spawn().expect("cannot start the program"), first_line: String::new() };
        let until = Instant::now() + Duration::from_secs(60);
        while !answers(port, path) {
            let ended = process.child.try_wait().unwrap();
            if ended.is_some() || Instant::now() > until {
                panic!("{command:?} does not answer ({ended:?}): {}", std::fs::read_to_string(&log).unwrap());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        process
    }
}

/// Whether a server on this port sends an HTTP response.
fn answers(port: u16, path: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
    let mut answer = Vec::new();
    let read = stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_end(&mut answer));
    read.is_ok() && answer.starts_with(b"HTTP/1.1 ")
}

#[cfg(unix)]
impl Process {
    /// Sends SIGTERM, as container runtimes do.
    pub(crate) fn terminate(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }

    /// Whether the process is still running.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for the exit status.
    pub(crate) fn end(&mut self) -> std::process::ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The npm project with the real Auth.js.
pub(crate) fn authjs() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("authjs");
    assert!(
        folder.join("node_modules").is_dir(),
        "the real Auth.js is not installed: run `npm ci` in tests/authjs"
    );
    folder
}

/// A command that runs a script of tests/authjs with Node.
pub(crate) fn node(script: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(script).current_dir(authjs());
    command
}

/// Builds an example and returns a command that runs it.
pub(crate) fn example(name: &str) -> Command {
    let output = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--message-format=json", "-p", name])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()
        .expect("cannot run cargo");
    assert!(output.status.success(), "{name} does not build");
    let program = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find_map(|message| {
            (message["target"]["name"] == name)
                .then(|| message["executable"].as_str().map(str::to_owned))
                .flatten()
        })
        .expect("cargo did not print the path of the program");
    let mut command = Command::new(program);
    // Some shells export `HOST`.
    command.env("PORT", "0").env("RUST_BACKTRACE", "0").env("RUST_LOG", "warn").env_remove("HOST");
    command
}
