//! Measures how the time and the memory of lookups grow with the number of sessions.

use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use super::process::memory;
use super::{Effort, is_quick, median};
use crate::report::{Row, Target, figure};
use crate::{Error, tokens};

const LOOKUPS: u32 = 100_000;

pub(super) fn run() -> Result<(), Error> {
    let sizes: &[u32] = if is_quick() { &[1, 1000] } else { &[1, 10, 100, 1000, 10_000, 100_000] };
    let mut medians = Vec::new();
    let mut turns = vec![Vec::new(); sizes.len()];
    for _ in 0..Effort::usual().rounds.min(3) {
        for (size, turns) in sizes.iter().zip(&mut turns) {
            turns.push(measure_in_new_process(*size)?);
        }
    }
    for (size, turns) in sizes.iter().zip(&turns) {
        let nanos = median(turns.iter().map(|(nanos, _)| *nanos));
        let kib = median(turns.iter().map(|(_, kib)| *kib));
        figure("growth", &format!("{size} sessions"), &format!("{nanos:.0} ns a lookup, {kib:.0} KiB more"))?;
        medians.push((nanos, kib));
    }
    if let [(one, start), .., (most, kib)] = medians.as_slice() {
        let size = sizes.last().copied().unwrap_or_default();
        Row::new("growth", &format!("time of a lookup, {size} sessions / 1"), most / one, "x", Target::None)
            .write()?;
        let what = format!("memory after looking up {size} sessions - 1");
        Row::new("growth", &what, kib - start, " KiB", Target::None).write()?;
    }
    Ok(())
}

/// Nanoseconds of a lookup and KiB added by all lookups, measured in a new process.
fn measure_in_new_process(sessions: u32) -> Result<(f64, f64), Error> {
    let output =
        Command::new(std::env::current_exe()?).args(["growth", &sessions.to_string()]).output()?.stdout;
    let text = String::from_utf8(output)?;
    let (nanos, kib) = text.trim().split_once(' ').ok_or("no answer")?;
    Ok((nanos.parse()?, kib.parse()?))
}

/// Measures the lookups in the process that [`measure_in_new_process`] starts, and prints nanoseconds and KiB.
///
/// # Errors
/// When a token is refused.
#[expect(clippy::print_stdout, reason = "its answer")]
pub fn child(sessions: usize) -> Result<(), Error> {
    // The cache is large enough for all sessions, so no token is decoded twice.
    let auth = tokens::auth(200_000)?;
    let pool = (0..sessions).map(|n| tokens::headers(&tokens::token(n))).collect::<Result<Vec<_>, _>>()?;
    let before = memory(std::process::id())?;
    let start = Instant::now();
    for headers in pool.iter().cycle().take(LOOKUPS.try_into()?) {
        black_box(tokens::decode(&auth, black_box(headers))?);
    }
    let nanos = start.elapsed().as_secs_f64() * 1e9 / f64::from(LOOKUPS);
    println!("{nanos} {}", memory(std::process::id())? - before);
    Ok(())
}
