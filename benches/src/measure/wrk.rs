//! Generates load with wrk, on one side after the other.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use super::Effort;
use super::process::Server;
use crate::Error;
use crate::stats::Estimate;

/// The requests of a load.
pub(super) struct Load<'a> {
    pub(super) path: &'a str,
    pub(super) connections: u32,
    pub(super) cookie: Option<&'a str>,
}

/// The figures of one turn, or the medians of several.
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

/// The figures of one side, a turn each.
#[derive(Default)]
pub(super) struct Turns(Vec<Figures>);

impl Turns {
    /// One figure of each turn.
    pub(super) fn each(&self, figure: fn(&Figures) -> f64) -> Vec<f64> {
        self.0.iter().map(figure).collect()
    }

    /// The medians, for the list behind the ratios.
    pub(super) fn medians(&self) -> Figures {
        let of = |figure| Estimate::of(self.each(figure)).median;
        Figures {
            per_second: of(|turn| turn.per_second),
            p50: of(|turn| turn.p50),
            p99: of(|turn| turn.p99),
            cpu: of(|turn| turn.cpu),
        }
    }

    /// A figure of this side divided by that of another one, in the same round.
    pub(super) fn ratio(&self, other: &Self, figure: fn(&Figures) -> f64) -> Estimate {
        Estimate::of_ratios(&self.each(figure), &other.each(figure))
    }
}

/// Measures loads with wrk, in turns. Each side gets one second of warm-up.
pub(super) fn compare(sides: &[(&Server, Load<'_>)], effort: &Effort) -> Result<Vec<Turns>, Error> {
    for (server, load) in sides {
        turn(server, load, 1)?;
    }
    in_turns(sides, effort, |(server, load), seconds| turn(server, load, seconds))
}

/// Measures the sides in turns, every other round in the reverse order (A B C, C B A). Other load on the machine affects all
/// of them, no side always comes first, and none always follows the same one.
pub(super) fn in_turns<T>(
    sides: &[T],
    effort: &Effort,
    mut turn: impl FnMut(&T, u64) -> Result<Figures, Error>,
) -> Result<Vec<Turns>, Error> {
    let mut all: Vec<Turns> = sides.iter().map(|_| Turns::default()).collect();
    for round in 0..effort.rounds {
        let mut order: Vec<_> = sides.iter().zip(&mut all).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for (side, found) in order {
            found.0.push(turn(side, effort.seconds)?);
        }
    }
    Ok(all)
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
