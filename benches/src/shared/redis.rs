//! A real `redis-server`, and servers that are of no use. All stop on drop.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::Error;

/// A `redis-server` that keeps nothing on disk.
#[derive(Debug)]
pub struct Redis {
    /// Its port on 127.0.0.1.
    pub port: u16,
    child: Child,
}

/// What a server has counted.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Calls of scripts.
    pub scripts: f64,
    /// Messages that were published, by scripts too.
    pub messages: f64,
    /// All commands: those in scripts count too.
    pub commands: f64,
    /// Microseconds of CPU in user and kernel mode.
    pub cpu: f64,
    /// Bytes that clients sent.
    pub received: f64,
    /// Bytes that clients got.
    pub sent: f64,
}

impl Redis {
    /// Starts a server, and waits until it answers.
    ///
    /// # Errors
    /// If `redis-server` is not installed, or does not start.
    pub fn start() -> Result<Self, Error> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let mut command = Command::new("redis-server");
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let server = Self { port, child: child.map_err(|error| format!("redis-server: {error}"))? };
        for _ in 0..200 {
            if server.ask("PING").is_ok() {
                return Ok(server);
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        Err("redis-server does not answer".into())
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// A connection for [`round_trip`].
    ///
    /// # Errors
    /// If there is no connection.
    pub fn connect(&self) -> Result<BufReader<TcpStream>, Error> {
        let stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_nodelay(true)?;
        Ok(BufReader::new(stream))
    }

    /// The answer to a command.
    ///
    /// # Errors
    /// If there is none, or it is an error.
    pub fn ask(&self, command: &str) -> Result<String, Error> {
        round_trip(&mut self.connect()?, command)
    }

    /// What the server counted from the start.
    ///
    /// # Errors
    /// If it does not answer.
    pub fn counts(&self) -> Result<Counts, Error> {
        let mut connection = self.connect()?;
        let commands = round_trip(&mut connection, "INFO commandstats")?;
        let calls = |name: &str| {
            let line = commands.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{name}:calls=")));
            line.and_then(|line| line.split(',').next()?.parse::<f64>().ok()).unwrap_or_default()
        };
        let all = commands.lines().filter_map(|line| line.split_once(":calls=")?.1.split(',').next());
        let commands = all.filter_map(|calls| calls.parse::<f64>().ok()).sum();
        let info = round_trip(&mut connection, "INFO stats")? + &round_trip(&mut connection, "INFO cpu")?;
        let number = |name: &str| {
            let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.and_then(|value| value.trim().parse::<f64>().ok()).ok_or(format!("no {name}"))
        };
        Ok(Counts {
            scripts: calls("evalsha") + calls("eval"),
            messages: calls("publish"),
            commands,
            cpu: 1e6 * (number("used_cpu_user")? + number("used_cpu_sys")?),
            received: number("total_net_input_bytes")?,
            sent: number("total_net_output_bytes")?,
        })
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Sends a command in one line, and reads a simple or a bulk answer.
///
/// # Errors
/// If there is no answer, or it is an error.
pub fn round_trip(connection: &mut BufReader<TcpStream>, command: &str) -> Result<String, Error> {
    connection.get_mut().write_all(format!("{command}\r\n").as_bytes())?;
    let mut line = String::new();
    connection.read_line(&mut line)?;
    match line.trim_end().split_at_checked(1) {
        Some(("$", length)) => {
            let mut bytes = vec![0; length.parse::<usize>()? + 2];
            connection.read_exact(&mut bytes)?;
            Ok(String::from_utf8(bytes)?)
        }
        Some(("+" | ":", answer)) => Ok(answer.to_owned()),
        _ => Err(format!("{command}: {line}").into()),
    }
}

/// A port on which nothing listens.
///
/// # Errors
/// If the system has no port.
pub fn dead() -> Result<String, Error> {
    let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    Ok(format!("redis://127.0.0.1:{port}"))
}

/// A server that accepts connections, reads what comes, and never answers.
///
/// # Errors
/// If the system has no port.
pub fn mute() -> Result<String, Error> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || std::io::copy(&mut stream, &mut std::io::sink()));
        }
    });
    Ok(format!("redis://127.0.0.1:{port}"))
}
