//! Prints the assumptions, the costs and the table.

use std::fmt::Write as _;

use super::measured::Measured;
use super::model::Load;
use super::options::Options;
use crate::shared::costs::Cost;

const INSTANCES: [u32; 5] = [1, 3, 10, 100, 1_000];
const SESSIONS: [u32; 6] = [1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// The rows of the table in the guide.
const GUIDE: [(u32, u32); 9] = [
    (1, 10_000),
    (3, 10_000),
    (3, 100_000),
    (10, 100_000),
    (10, 1_000_000),
    (100, 100_000),
    (100, 1_000_000),
    (1_000, 1_000_000),
    (1_000, 100_000_000),
];

const OVER: &str = "u the upstream without a store, U the upstream with one, R Redis, N the network of Redis";

/// The assumptions, the costs and the whole table.
pub(super) fn all(options: &Options, measured: &Measured) -> String {
    let mut lines = vec![
        "Assumptions (sessions are those in use at the same time)\n".to_owned(),
        format!("{options}\n"),
        format!("Measured costs ({})\n", measured.when),
        "| | scripts | messages | commands | bytes to Redis | bytes from Redis | µs of its CPU |".to_owned(),
        format!("|{}", "---|".repeat(7)),
    ];
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
        lines.push(format!("| {name} | {scripts} | {messages} | {commands} | {to} | {from} | {cpu} |"));
    }
    let (in_memory, in_redis) = (measured.in_memory, measured.in_redis);
    lines.push(format!("\nA session takes {in_memory:.0} bytes in an instance, {in_redis:.0} in Redis.\n"));
    lines.push(
        "| instances | sessions | requests/s | lookups/s alone | with store | entries | memory | memory of Redis \
         | reads/s | puts/s | sign-outs/s | messages/s | operations/s | bytes/s in | out | Redis CPU | over |"
            .to_owned(),
    );
    lines.push(format!("|{}", "---|".repeat(17)));
    for instances in INSTANCES {
        for sessions in SESSIONS {
            let load = Load::of(options, measured, f64::from(instances), f64::from(sessions));
            lines.push(row(options, instances, sessions, &load));
        }
    }
    lines.push(format!(
        "\nEntries and memory: sessions of one instance whose answer is good. With a smaller `session.cache_entries` \
         there are more reads and lookups.\nMessages are those that Redis passes on to instances: ends, \
         acknowledgements, beats.\nOver: {OVER}. Redis is over with too many operations, or 100 % of one core."
    ));
    lines.join("\n") + "\n"
}

/// The table of the guide.
pub(super) fn guide(options: &Options, measured: &Measured) -> String {
    let mut text = String::from(
        "| instances | sessions | requests/s | lookups/s without a store | with one | memory of an instance \
         | Redis: operations/s | CPU | bytes/s, most | over |\n|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for (instances, sessions) in GUIDE {
        let load = Load::of(options, measured, f64::from(instances), f64::from(sessions));
        let figures = [
            short(f64::from(instances)),
            short(f64::from(sessions)),
            short(load.requests),
            short(load.alone),
            short(load.shared),
            format!("{}B", short(load.memory)),
            short(load.redis.operations()),
            format!("{} %", short(load.redis.cpu / 1e4)),
            short(load.redis.to.max(load.redis.from)),
            over(options, &load),
        ];
        // Writing to a string does not fail.
        writeln!(text, "| {} |", figures.join(" | ")).ok();
    }
    text
}

/// What ends with this load.
fn over(options: &Options, load: &Load) -> String {
    let marks = [
        ('u', load.alone > options.upstream),
        ('U', load.shared > options.upstream),
        ('R', load.redis.operations() > options.redis || load.redis.cpu > 1e6),
        ('N', load.redis.to.max(load.redis.from) > options.network / 8.0),
    ];
    marks.iter().filter(|(_, is_over)| *is_over).map(|(mark, _)| *mark).collect()
}

fn row(options: &Options, instances: u32, sessions: u32, load: &Load) -> String {
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
        format!("{} %", short(load.redis.cpu / 1e4)),
        over(options, load),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scale::measured::THEN;

    /// `scale --guide` prints the table anew.
    #[test]
    fn guide_has_the_table_of_this_program() {
        let page = include_str!("../../../auth-proxy/docs/guide/scale.md");
        let table = guide(&Options::default(), &THEN);
        for line in table.lines() {
            assert!(page.contains(line), "not in the guide: {line}");
        }
        let costs = all(&Options::default(), &THEN);
        let costs =
            costs.lines().filter(|line| line.starts_with("| ") && line.ends_with(" |")).skip(1).take(7);
        for line in costs {
            assert!(page.contains(line), "not in the guide: {line}");
        }
    }
}
