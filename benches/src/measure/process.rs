//! Starts the measured processes, and reads their CPU time and memory from the kernel.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::Error;

/// A server on its own port. It is stopped on drop.
pub(super) struct Server {
    pub(super) name: &'static str,
    pub(super) port: u16,
    child: Child,
    /// Its temporary files, removed on drop.
    directory: Option<PathBuf>,
}

impl Server {
    /// Starts a side of this program.
    pub(super) fn start(name: &'static str, upstream: &str) -> Result<Self, Error> {
        let port = free_port()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", name, &port.to_string(), upstream]);
        Self::spawn(name, port, &mut command, None)
    }

    /// Starts a side of this program with one thread under callgrind, which writes its profile to this file.
    pub(super) fn profiled(name: &'static str, upstream: &str, file: &Path) -> Result<Self, Error> {
        let port = free_port()?;
        let mut command = Command::new("valgrind");
        command.args(["--tool=callgrind", "--quiet", "--toggle-collect=*counted*"]);
        command.arg(format!("--callgrind-out-file={}", file.display()));
        command.arg(std::env::current_exe()?).args(["serve", name, &port.to_string(), upstream]);
        command.env("BENCH_THREADS", "1");
        Self::spawn(name, port, &mut command, None)
    }

    /// Stops the server, and waits for its end.
    pub(super) fn stop(mut self) -> Result<(), Error> {
        self.terminate();
        self.child.wait()?;
        Ok(())
    }

    /// Starts the app of `serve shared`, with this Redis.
    pub(super) fn shared(name: &'static str, upstream: &str, redis: Option<&str>) -> Result<Self, Error> {
        let port = free_port()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", "shared", &port.to_string(), upstream]).env_remove("BENCH_REDIS");
        if let Some(redis) = redis {
            command.env("BENCH_REDIS", redis);
        }
        Self::spawn(name, port, &mut command, None)
    }

    /// Starts nginx with the configuration in `nginx.conf.in`.
    pub(super) fn nginx(upstream: u16) -> Result<Self, Error> {
        Self::nginx_at(&format!("127.0.0.1:{upstream}"))
    }

    /// Starts nginx in front of this address, which may be a Unix socket, such as `unix:/tmp/a.sock`.
    pub(super) fn nginx_at(upstream: &str) -> Result<Self, Error> {
        let port = free_port()?;
        let directory =
            std::env::temp_dir().join(format!("auth-proxy-benches-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&directory)?;
        let text = include_str!("../../nginx.conf.in")
            .replace("@DIR@", &directory.to_string_lossy())
            .replace("@PORT@", &port.to_string())
            .replace("@UPSTREAM@", upstream);
        let file = directory.join("nginx.conf");
        std::fs::File::create(&file)?.write_all(text.as_bytes())?;
        let mut command = Command::new("nginx");
        command.arg("-c").arg(file).arg("-e").arg(directory.join("error.log"));
        Self::spawn("nginx", port, &mut command, Some(directory))
    }

    /// Starts Express with Auth.js from the conformance tests. It exits when its standard input is closed.
    pub(super) fn express() -> Result<Self, Error> {
        let port = free_port()?;
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/authjs/server.mjs");
        let mut command = Command::new("node");
        command.arg(script).env("PORT", port.to_string()).env("AUTH_SECRET", crate::tokens::SECRET);
        command.env("NODE_ENV", "production").stdin(Stdio::piped()).stdout(Stdio::null());
        Self::spawn("Express", port, &mut command, None)
    }

    fn spawn(
        name: &'static str,
        port: u16,
        command: &mut Command,
        directory: Option<PathBuf>,
    ) -> Result<Self, Error> {
        let child = command.spawn().map_err(|error| format!("{name} did not start: {error}"))?;
        let mut server = Self { name, port, child, directory };
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(server);
            }
            if let Some(status) = server.child.try_wait()? {
                return Err(format!("{name} ended: {status}").into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err(format!("{name} does not listen").into())
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// CPU time in microseconds, user and kernel mode, workers included.
    pub(super) fn cpu_micros(&self) -> Result<f64, Error> {
        let mut ticks = 0;
        for process in self.tree()? {
            // The process name, in brackets, may contain spaces. `utime` and `stime` are fields 12 and 13 after it.
            let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
            let (_, rest) = stat.rsplit_once(')').ok_or("no stat")?;
            for field in rest.split_whitespace().skip(11).take(2) {
                ticks += field.parse::<u32>()?;
            }
        }
        Ok(f64::from(ticks) * 1e6 / ticks_per_second()?)
    }

    /// Resident memory in KiB, workers included.
    pub(super) fn memory(&self) -> Result<f64, Error> {
        let mut sum = 0.0;
        for process in self.tree()? {
            sum += memory(process)?;
        }
        Ok(sum)
    }

    /// SIGTERM comes first: the workers of nginx survive when their master is killed.
    fn terminate(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        let process = self.child.id().to_string();
        let terminated = Command::new("kill").args(["-TERM", &process]).status();
        if !terminated.is_ok_and(|status| status.success()) {
            self.child.kill().ok();
        }
    }

    /// The process and its children.
    fn tree(&self) -> Result<Vec<u32>, Error> {
        let own = self.child.id();
        let mut tree = vec![own];
        // The kernel lists a child at the thread that created it.
        for thread in std::fs::read_dir(format!("/proc/{own}/task"))? {
            let children = std::fs::read_to_string(thread?.path().join("children")).unwrap_or_default();
            for child in children.split_whitespace() {
                tree.push(child.parse()?);
            }
        }
        Ok(tree)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.terminate();
        self.child.wait().ok();
        if let Some(directory) = &self.directory {
            std::fs::remove_dir_all(directory).ok();
        }
    }
}

/// Resident memory of a process in KiB.
pub(super) fn memory(process: u32) -> Result<f64, Error> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// Another program may take the port before it is used; then the start fails with an error.
fn free_port() -> Result<u16, Error> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn ticks_per_second() -> Result<f64, Error> {
    let output = Command::new("getconf").arg("CLK_TCK").output()?;
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}
