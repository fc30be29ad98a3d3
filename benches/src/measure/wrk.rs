//! Generates load with wrk, on one side after the other.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use super::process::Server;
use super::{Effort, median};
use crate::Error;

/// The requests of a load.
pub(super) struct Load<'a> {
    pub(super) path: &'a str,
    pub(super) connections: u32,
    pub(super) cookie: Option<&'a str>,
}

/// The figures of one turn, or the medians of several.
#[derive(Clone, Copy)]
pub(super) struct Figures {
    pub(super) per_second: f64,
    pub(super) p50: f64,
    pub(super) p99: f64,
    /// Microseconds of CPU of the server for one request.
    pub(super) cpu: f64,
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { per_second, p50, p99, cpu } = self;
        write!(f, "{per_second:.0} requests/s, p50 {p50:.0} µs, p99 {p99:.0} µs, {cpu:.1} µs CPU each")
    }
}

/// Measures the sides in turns (A B C A B C), so that other load on the machine affects all of them. Returns medians in
/// the order of the sides. Each side gets one second of warm-up.
pub(super) fn compare(sides: &[(&Server, Load<'_>)], effort: &Effort) -> Result<Vec<Figures>, Error> {
    for (server, load) in sides {
        turn(server, load, 1)?;
    }
    let mut all = vec![Vec::new(); sides.len()];
    for _ in 0..effort.rounds {
        for ((server, load), found) in sides.iter().zip(&mut all) {
            found.push(turn(server, load, effort.seconds)?);
        }
    }
    let of = |turns: &[Figures], figure: fn(&Figures) -> f64| median(turns.iter().map(figure));
    let medians = all.iter().map(|turns| Figures {
        per_second: of(turns, |turn| turn.per_second),
        p50: of(turns, |turn| turn.p50),
        p99: of(turns, |turn| turn.p99),
        cpu: of(turns, |turn| turn.cpu),
    });
    Ok(medians.collect())
}

fn turn(server: &Server, load: &Load<'_>, seconds: u64) -> Result<Figures, Error> {
    let mut command = Command::new("wrk");
    command.args(["-s", concat!(env!("CARGO_MANIFEST_DIR"), "/wrk.lua")]);
    if let Some(cookie) = load.cookie {
        command.args(["-H", &format!("Cookie: {cookie}")]);
    }
    run(server, load, seconds, command)
}

/// The visitors of a turn.
pub(super) enum Visitors {
    /// The same in each turn.
    Same,
    /// Each request has a visitor of its own.
    New,
}

/// One turn with many visitors.
pub(super) fn visit(server: &Server, visitors: &Visitors, seconds: u64) -> Result<Figures, Error> {
    let mut command = Command::new("wrk");
    command.args(["-s", concat!(env!("CARGO_MANIFEST_DIR"), "/wrk-visitors.lua")]);
    let (seed, most) = match visitors {
        Visitors::Same => ("same".to_owned(), 1_000),
        Visitors::New => (SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos().to_string(), u32::MAX),
    };
    command.env("VISITORS_SEED", seed).env("VISITORS_MOST", most.to_string());
    run(server, &Load { path: "/me", connections: 16, cookie: None }, seconds, command)
}

fn run(server: &Server, load: &Load<'_>, seconds: u64, mut command: Command) -> Result<Figures, Error> {
    command.args(["-t1", "-c", &load.connections.to_string(), "-d", &seconds.to_string(), "--latency"]);
    let before = server.cpu_micros()?;
    let output = command.arg(format!("{}{}", server.url(), load.path)).output()?;
    let after = server.cpu_micros()?;
    let text = String::from_utf8(output.stdout)?;
    let line = text.lines().find_map(|line| line.strip_prefix("RESULT "));
    let fields = line.ok_or_else(|| format!("wrk: {text} {}", String::from_utf8_lossy(&output.stderr)))?;
    let fields = fields.split(' ').map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    let [requests, micros, p50, p99, errors] = *fields.as_slice() else { return Err(text.into()) };
    // Error responses are fast and would falsify the figures, so any error ends the run.
    if errors > 0.0 || requests == 0.0 {
        return Err(format!("{} at {}: {errors} of {requests} failed", server.name, load.path).into());
    }
    Ok(Figures { per_second: requests * 1e6 / micros, p50, p99, cpu: (after - before) / requests })
}
