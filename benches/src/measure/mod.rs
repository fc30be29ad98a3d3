//! The measurements of the suite. Each part starts its servers, measures the sides in turns, and reports medians with
//! confidence intervals.

pub mod growth;
mod guard;
mod memory;
mod per_core;
mod phases;
mod process;
mod proxy;
mod redis;
mod revocation;
mod session;
pub mod sessions;
pub mod spans;
mod store;
mod token;
mod wrk;

use crate::Error;
use crate::stats::Estimate;

/// Measures one part.
///
/// # Errors
/// If anything fails, including wrong responses.
pub fn run(part: &str) -> Result<(), Error> {
    match part {
        "proxy" => proxy::run(),
        "phases" => phases::run(),
        "per-core" => per_core::run(),
        "memory" => memory::run(),
        "token" => token::run(),
        "guard" => guard::run(),
        "session" => session::run(),
        "sessions" => sessions::run(),
        "spans" => spans::run(),
        "growth" => growth::run(),
        "redis" => redis::run(),
        "store" => store::run(),
        "revocation" => revocation::run(),
        _ => Err(format!("no part `{part}`").into()),
    }
}

/// The number and the duration of measurements.
struct Effort {
    rounds: usize,
    /// Duration for one side in one round.
    seconds: u64,
}

/// `QUICK=1` checks that the suite works. Its figures mean little.
fn is_quick() -> bool {
    std::env::var("QUICK").is_ok_and(|quick| quick == "1")
}

impl Effort {
    fn usual() -> Self {
        if is_quick() { Self { rounds: 2, seconds: 1 } } else { Self { rounds: 10, seconds: 3 } }
    }
}

/// The median.
fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    Estimate::of(figures).median
}

/// Resident memory of this process in KiB.
pub(crate) fn own_memory() -> Result<f64, Error> {
    process::memory(std::process::id())
}
