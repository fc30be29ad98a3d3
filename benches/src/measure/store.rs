//! Measures what a store costs an app, alive and dead: the same app without a store, with a Redis where nothing listens,
//! with one that accepts and never answers, and with a live one.

use std::time::Duration;

use super::process::Server;
use super::wrk::{Visitors, in_turns, visit};
use super::{Effort, is_quick};
use crate::Error;
use crate::report::{Row, Target, figure};
use crate::shared::redis::{Redis, dead, mute};

/// A new link is not used for 5 s.
const GRACE: Duration = Duration::from_secs(7);

pub(super) fn run() -> Result<(), Error> {
    let (upstream, redis) = (Server::start("upstream", "-")?, Redis::start()?);
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

fn measure(sides: &[Server], what: &str, visitors: &Visitors) -> Result<(), Error> {
    // Many short turns: the load of the machine changes from second to second.
    let effort =
        if is_quick() { Effort { rounds: 2, seconds: 1 } } else { Effort { rounds: 15, seconds: 2 } };
    let all = in_turns(sides, &effort, |side, seconds| visit(side, visitors, seconds))?;
    for (side, turns) in sides.iter().zip(&all) {
        figure("store", &format!("{what}, {}", side.name), &turns.medians().to_string())?;
    }
    let Some((without, others)) = all.split_first() else { return Ok(()) };
    for (side, turns) in sides.iter().skip(1).zip(others) {
        let is_dead = !["a live store", "again without a store"].contains(&side.name);
        let target = if is_dead { Target::AtMost(1.1) } else { Target::None };
        for (name, ratio, target) in [
            ("time", without.ratio(turns, |turn| turn.per_second), target),
            ("p99", turns.ratio(without, |turn| turn.p99), target),
            ("CPU", turns.ratio(without, |turn| turn.cpu), Target::None),
        ] {
            let what = format!("{what}: {name} of a request, {} / without a store", side.name);
            Row::new("store", &what, ratio, "x", target).write()?;
        }
    }
    Ok(())
}
