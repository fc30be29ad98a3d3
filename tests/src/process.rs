//! Child processes of the tests: scripts of the npm projects, and the examples.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A child process that is killed on drop.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// The first line of its standard output.
    pub first_line: String,
}

impl Process {
    /// Starts a program and waits for its first line.
    pub fn start(command: &mut Command) -> Self {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("cannot start the program");
        let mut first_line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first_line).unwrap();
        assert!(!first_line.is_empty(), "{command:?} printed nothing");
        Self { child, first_line: first_line.trim().to_owned() }
    }

    /// Whether the process is still running.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// A port that the program printed as JSON, such as `{"port":3000}`.
    #[must_use]
    pub fn port(&self, field: &str) -> u16 {
        let ports: serde_json::Value = serde_json::from_str(&self.first_line).unwrap();
        ports[field].as_u64().and_then(|port| port.try_into().ok()).expect("a port")
    }

    /// Starts a server and waits until it responds on its port. The output goes to a file: a closed pipe would end the
    /// server.
    pub fn answering(command: &mut Command, port: u16, path: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("output");
        std::fs::create_dir_all(&folder).unwrap();
        let log = folder.join(format!("server-{port}.log"));
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

/// nginx with this configuration, which listens on this port and needs a folder for its files.
#[must_use]
pub fn nginx(folder: &Path, configuration: &str, port: u16) -> Process {
    std::fs::create_dir_all(folder).unwrap();
    let file = folder.join("nginx.conf");
    // One process, so that nothing is left when it is killed.
    std::fs::write(&file, configuration.replace("daemon off;", "daemon off; master_process off;")).unwrap();
    let mut command = Command::new("nginx");
    command.arg("-p").arg(folder).args(["-e", "stderr", "-c"]).arg(&file);
    Process::answering(&mut command, port, "/")
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
    pub fn terminate(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }

    /// Waits for the exit status.
    pub fn end(&mut self) -> std::process::ExitStatus {
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
#[must_use]
pub fn authjs() -> PathBuf {
    npm_project("authjs")
}

/// An npm project below `tests`, whose packages are installed.
#[must_use]
pub fn npm_project(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    assert!(
        folder.join("node_modules").is_dir(),
        "its packages are not installed: run `npm ci` in tests/{name}"
    );
    folder
}

/// A command that runs a script of tests/authjs with Node.
#[must_use]
pub fn node(script: &str) -> Command {
    node_in("authjs", script)
}

/// A command that runs a script of an npm project with Node.
#[must_use]
pub fn node_in(project: &str, script: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(script).current_dir(npm_project(project));
    command
}

/// Sends a message with `examples/revoke/revoke.mjs`. Returns what the function returned, and what it logged.
pub async fn revoke_with_node(url: &str, secret: &str, message: &serde_json::Value) -> (bool, String) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/revoke/revoke.mjs");
    let program = "const { revoke } = await import(process.argv[1])
        console.log(await revoke(JSON.parse(process.argv[2])))";
    let mut command = tokio::process::Command::new("node");
    command.args(["--input-type=module", "--eval", program]).arg(file).arg(message.to_string());
    command.env("AUTH_REVOKE_URL", url).env("AUTH_REVOKE_SECRET", secret).kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_secs(20), command.output()).await;
    let output = output.expect("it hangs").expect("cannot run node");
    let returned = String::from_utf8_lossy(&output.stdout).trim().parse();
    let logged = String::from_utf8_lossy(&output.stderr).into_owned();
    (returned.unwrap_or_else(|_| panic!("it threw: {logged}")), logged)
}

/// An OpenID provider with these callback URLs, separated by spaces.
#[must_use]
pub fn identity_provider(callbacks: &str) -> Process {
    Process::start(&mut provider_command(callbacks))
}

/// An OpenID provider with these callback URLs, which sends logout tokens to this URL.
#[must_use]
pub fn identity_provider_with_back_channel(callbacks: &str, url: &str) -> Process {
    Process::start(provider_command(callbacks).env("AUTH_REVOKE_URL", url))
}

fn provider_command(callbacks: &str) -> Command {
    let mut command = node("idp.mjs");
    command.env("REDIRECT_URIS", callbacks).env("NODE_NO_WARNINGS", "1").stderr(Stdio::null());
    command
}

/// Builds an example and returns a command that runs it.
#[must_use]
pub fn example(name: &str) -> Command {
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
