//! Prints the assumptions, the costs and the table.

use std::io::Write as _;

use super::measured::Measured;
use super::model::Load;
use super::options::Options;
use crate::Error;
use crate::shared::costs::Cost;

const INSTANCES: [u32; 5] = [1, 3, 10, 100, 1_000];
const SESSIONS: [u32; 6] = [1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

pub(super) fn all(options: &Options, measured: &Measured) -> Result<(), Error> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "Assumptions (sessions are those in use at the same time)\n\n{options}\n")?;
    writeln!(out, "Measured costs ({})\n", measured.when)?;
    writeln!(out, "| | scripts | messages | commands | bytes to Redis | bytes from Redis | µs of its CPU |")?;
    writeln!(out, "|---|---|---|---|---|---|---|")?;
    let costs = &measured.costs;
    for (name, cost) in [
        ("first request of a session: upstream asked", costs.first),
        ("first request at another instance", costs.elsewhere),
        ("later request", costs.later),
        ("request with an unknown token", costs.unknown),
        ("a second of one instance: beats", costs.beats),
        ("sign-out, one instance", costs.sign_out),
        ("sign-out, each further instance", costs.sign_out_each),
    ] {
        let Cost { scripts, messages, commands, to, from, cpu } = cost;
        // Adds zero: a small negative difference would print as -0.
        let [scripts, messages, commands, to, from, cpu] =
            [scripts, messages, commands, to, from, cpu].map(|figure| figure.round() + 0.0);
        writeln!(out, "| {name} | {scripts} | {messages} | {commands} | {to} | {from} | {cpu} |")?;
    }
    writeln!(out, "\nA session takes {:.0} bytes in an instance, {:.0} in Redis.\n", measured.in_memory, measured.in_redis)?;
    writeln!(
        out,
        "| instances | sessions | requests/s | lookups/s alone | with store | entries | memory | memory of Redis | reads/s | puts/s \
         | sign-outs/s | messages/s | operations/s | bytes/s in | out | Redis CPU | over |"
    )?;
    writeln!(out, "|{}", "---|".repeat(17))?;
    for instances in INSTANCES {
        for sessions in SESSIONS {
            let load = Load::of(options, measured, f64::from(instances), f64::from(sessions));
            writeln!(out, "{}", row(options, instances, sessions, &load))?;
        }
    }
    writeln!(
        out,
        "\nEntries and memory: sessions of one instance whose answer is good. With a smaller `session.cache_entries` there are \
         more reads and lookups.\nOver: u the upstream without a store, U the upstream with one, R Redis (operations, or 100 % of one core), \
         N the network of Redis.\nMessages are those that Redis passes on to instances: ends, acknowledgements, beats."
    )?;
    Ok(())
}

fn row(options: &Options, instances: u32, sessions: u32, load: &Load) -> String {
    let busy = load.redis.cpu / 1e6;
    let bytes_a_second = options.network / 8.0;
    let mut over = String::new();
    for (mark, is_over) in [
        ('u', load.alone > options.upstream),
        ('U', load.shared > options.upstream),
        ('R', load.redis.operations() > options.redis || busy > 1.0),
        ('N', load.redis.to.max(load.redis.from) > bytes_a_second),
    ] {
        if is_over {
            over.push(mark);
        }
    }
    let figures = [
        short(f64::from(instances)),
        short(f64::from(sessions)),
        short(load.requests),
        short(load.alone),
        short(load.shared),
        short(load.remembered),
        format!("{}B", short(load.memory)),
        format!("{}B", short(load.redis_memory)),
        short(load.reads),
        short(load.puts),
        short(load.sign_outs),
        short(load.delivered),
        short(load.redis.operations()),
        short(load.redis.to),
        short(load.redis.from),
        format!("{} %", short(100.0 * busy)),
        over,
    ];
    format!("| {} |", figures.join(" | "))
}

/// Two or three digits: `950`, `12k`, `3.4M`.
fn short(number: f64) -> String {
    let (number, unit) = match number {
        0.0..1e3 => (number, ""),
        1e3..1e6 => (number / 1e3, "k"),
        1e6..1e9 => (number / 1e6, "M"),
        _ => (number / 1e9, "G"),
    };
    match number {
        0.0..0.1 => format!("{number:.3}{unit}"),
        0.1..10.0 => {
            let text = format!("{number:.1}");
            format!("{}{unit}", text.strip_suffix(".0").unwrap_or(&text))
        }
        _ => format!("{number:.0}{unit}"),
    }
}
