//! Measures what a store costs an app, alive and dead: the same app without a store, with a Redis where nothing listens,
//! with one that accepts and never answers, and with a live one.

use std::time::Duration;

use super::process::Server;
use super::wrk::{Figures, Visitors, visit};
use super::{is_quick, median};
use crate::Error;
use crate::report::{Row, Target, figure};
use crate::shared::redis::{Redis, dead, mute};

/// A new link is not used for 5 s.
const GRACE: Duration = Duration::from_secs(7);

pub(super) fn run() -> Result<(), Error> {
    let (upstream, redis) = (Server::start("upstream", "")?, Redis::start()?);
    let at = upstream.url();
    let sides = [
        Server::shared("without a store", &at, None)?,
        // Against the first, it shows how much the figures differ by chance.
        Server::shared("again without a store", &at, None)?,
        Server::shared("nothing listens", &at, Some(&dead()?))?,
        Server::shared("accepts and never answers", &at, Some(&mute()?))?,
        Server::shared("a live store", &at, Some(&redis.url()))?,
    ];
    // The first request of an app connects it.
    for side in &sides {
        visit(side, &Visitors::New, 1)?;
    }
    std::thread::sleep(GRACE);
    let loads = [("cached sessions", Visitors::Same), ("looked up", Visitors::New)];
    for (what, visitors) in loads {
        for side in &sides {
            visit(side, &visitors, 1)?;
        }
        let stored = redis.ask("DBSIZE")?.parse::<u64>()?;
        if stored == 0 {
            return Err("the live store stores nothing".into());
        }
        measure(&sides, what, &visitors)?;
    }
    Ok(())
}

/// Ratios within a round, so that other load on the machine affects both sides. Their medians are reported.
fn measure(sides: &[Server], what: &str, visitors: &Visitors) -> Result<(), Error> {
    // Many short turns: the load of the machine changes from second to second.
    let (rounds, seconds) = if is_quick() { (2, 1) } else { (15, 2) };
    let mut all: Vec<Vec<Figures>> = vec![Vec::new(); sides.len()];
    for round in 0..rounds {
        let mut order: Vec<_> = sides.iter().zip(&mut all).collect();
        // No side always comes first, nor always after the same side.
        if round % 2 == 1 {
            order.reverse();
        }
        for (side, found) in order {
            found.push(visit(side, visitors, seconds)?);
        }
    }
    let of = |turns: &[Figures], part: fn(&Figures) -> f64| median(turns.iter().map(part));
    for (side, turns) in sides.iter().zip(&all) {
        let figures = Figures {
            per_second: of(turns, |turn| turn.per_second),
            p50: of(turns, |turn| turn.p50),
            p99: of(turns, |turn| turn.p99),
            cpu: of(turns, |turn| turn.cpu),
        };
        figure("store", &format!("{what}, {}", side.name), &figures.to_string())?;
    }
    let Some((without, others)) = all.split_first() else { return Ok(()) };
    for (side, turns) in sides.iter().skip(1).zip(others) {
        let is_dead = !["a live store", "again without a store"].contains(&side.name);
        let target = if is_dead { Target::AtMost(1.1) } else { Target::None };
        let ratio = |part: fn(&Figures) -> f64| {
            median(turns.iter().zip(without).map(|(with, without)| part(with) / part(without)))
        };
        for (name, ratio, target) in [
            ("time", 1.0 / ratio(|turn| turn.per_second), target),
            ("p99", ratio(|turn| turn.p99), target),
            ("CPU", ratio(|turn| turn.cpu), Target::None),
        ] {
            let what = format!("{what}: {name} of a request, {} / without a store", side.name);
            Row::new("store", &what, ratio, "x", target).write()?;
        }
    }
    Ok(())
}
