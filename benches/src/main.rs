//! The benchmark program. It contains all sides and the measurements, so that all are built with the same settings.
//!
//! - `serve SIDE PORT UPSTREAM_URL`: runs a server.
//! - `measure PART`: measures one part of the suite. Appends to the file that `BENCH_ROWS` names.
//! - `count WHAT N`: runs an operation N times for callgrind.
//! - `spans`: prints what operations cost that have spans.
//! - `sessions USE N`: measures N remembered sessions.
//! - `growth N`: measures lookups of N distinct tokens.
//! - `row PART WHAT VALUE UNIT TARGET`: adds a row to the table.
//! - `median|ratio|difference PART WHAT UNIT TARGET FILE [FILE]`: adds a row from files with a figure of each round in a line.
//! - `figure ..`, `report ..`: adds figures behind the rows, prints the table.

use auth_proxy_benches::{Error, count, measure, report, serve, stats};

fn main() -> Result<(), Error> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["serve", side, port, upstream] => serve::run(side, port.parse()?, upstream),
        ["measure", part] => measure::run(part),
        ["count", what, times] => count::run(what, times.parse()?),
        ["spans"] => measure::spans::child(),
        ["sessions", usage, sessions] => measure::sessions::child(usage, sessions.parse()?),
        ["growth", sessions] => measure::growth::child(sessions.parse()?),
        ["row", part, what, value, unit, target] => {
            report::Row::new(part, what, value.parse::<f64>()?, unit, target.parse()?).write()
        }
        [kind @ ("median" | "ratio" | "difference"), part, what, unit, target, files @ ..] => {
            let estimate = stats::of_files(kind, files)?;
            report::Row::new(part, what, estimate, unit, target.parse()?).write()
        }
        ["figure", part, what, figures] => report::figure(part, what, figures),
        ["report", rows, machine] => report::print(rows, machine),
        _ => Err("unknown arguments: see the comment at the top of src/main.rs".into()),
    }
}
