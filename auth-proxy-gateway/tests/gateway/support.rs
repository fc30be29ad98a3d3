//! The gateway, Auth.js and the Node app as real processes.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use auth_proxy_tests::process::{Process, node};
use auth_proxy_tests::{Browser, watch};

pub(crate) const SECRET: &str = "the secret of a real server, which is long enough";

/// A real server with Auth.js.
pub(crate) fn authjs() -> (Process, String) {
    watch::start();
    watch::secret(SECRET);
    let process = Process::start(node("server.mjs").env("AUTH_SECRET", SECRET));
    let url = format!("http://127.0.0.1:{}", process.port("port"));
    (process, url)
}

/// The Node app behind the gateway.
pub(crate) fn app() -> (Process, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gateway/app.mjs");
    let process = Process::start(Command::new("node").arg(script));
    let url = format!("http://127.0.0.1:{}", process.port("port"));
    (process, url)
}

/// A command that runs the gateway.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_auth-proxy-gateway"));
    command.env("AUTH_SECRET", SECRET).env("RUST_BACKTRACE", "0");
    command
}

/// Runs a command to its end. Returns its exit code, its stdout and its stderr.
pub(crate) fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// A file of its own for each call, in the folder of the tests.
pub(crate) fn file(name: &str, text: &str) -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let n = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{n}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// The gateway as a process. It is killed on drop.
pub(crate) struct Running {
    child: Child,
    file: PathBuf,
    log: PathBuf,
    pub(crate) addr: SocketAddr,
    pub(crate) admin: Option<SocketAddr>,
}

impl Running {
    /// Starts the gateway with this file, and waits until it listens.
    pub(crate) fn start(config: &str) -> Self {
        let file = file("gateway.toml", config);
        let log = file.with_file_name("log.txt");
        let mut child = command()
            .arg("--config")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let (mut addr, mut admin) = (None, None);
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            if let Some(address) = line.strip_prefix("admin http://") {
                admin = Some(address.parse().unwrap());
            } else if let Some(address) = line.strip_prefix("http://") {
                addr = Some(address.parse().unwrap());
                break;
            }
        }
        let addr = addr.unwrap_or_else(|| panic!("{}", std::fs::read_to_string(&log).unwrap()));
        Self { child, file, log, addr, admin }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.addr.port())
    }

    /// A browser with a cookie jar of its own.
    pub(crate) fn browser(&self) -> Browser {
        Browser::at(&self.url(""))
    }

    /// A browser that has signed in.
    pub(crate) async fn signed_in(&self, name: &str) -> Browser {
        let browser = self.browser();
        assert_eq!(browser.sign_in(name, name).await.status, 302);
        browser
    }

    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Replaces the file, and has it read again.
    pub(crate) fn reload(&self, config: &str) {
        std::fs::write(&self.file, config).unwrap();
        self.signal("-HUP");
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Waits until the log contains this text.
    pub(crate) async fn logs(&self, text: &str) {
        let until = Instant::now() + Duration::from_secs(20);
        while !self.log().contains(text) {
            assert!(Instant::now() < until, "the log has no {text:?}: {}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for the end of the process.
    pub(crate) async fn end(&mut self) -> ExitStatus {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < until, "it does not end: {}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The memory that the process uses, in bytes.
    #[cfg(target_os = "linux")]
    pub(crate) fn memory(&self) -> usize {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = text.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        watch::look(self.log().as_bytes());
    }
}

/// The file for this Auth.js server and this app, with more lines for the top level and more tables.
pub(crate) fn config(auth: &str, app: &str, top: &str, tables: &str) -> String {
    format!(
        "listen = \"127.0.0.1:0\"\n{top}\n[upstream]\nkind = \"authjs\"\nbase_url = \"{auth}\"\nsecret = \"${{AUTH_SECRET}}\"\n\
         [app]\nurl = \"{app}\"\n{tables}\n"
    )
}

/// The headers that the app received, from its answer.
pub(crate) fn received(body: &str, header: &str) -> Vec<String> {
    let answer: serde_json::Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("{body}"));
    let values = answer["headers"][header].as_array().cloned().unwrap_or_default();
    values.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}
