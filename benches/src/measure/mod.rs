//! The parts of the suite. Each starts what it needs, lets the sides take turns, and takes medians.

pub mod growth;
mod guard;
mod memory;
mod process;
mod proxy;
mod session;
mod token;
mod wrk;

use crate::Error;

/// Measures one part.
///
/// # Errors
/// When anything fails, wrong answers included.
pub fn run(part: &str) -> Result<(), Error> {
    match part {
        "proxy" => proxy::run(),
        "memory" => memory::run(),
        "token" => token::run(),
        "guard" => guard::run(),
        "session" => session::run(),
        "growth" => growth::run(),
        _ => Err(format!("no part `{part}`").into()),
    }
}

/// How long things are measured.
struct Effort {
    rounds: usize,
    /// Of one side in one round.
    seconds: u64,
}

/// `QUICK=1` is for trying the suite, not for its figures.
fn is_quick() -> bool {
    std::env::var("QUICK").is_ok_and(|quick| quick == "1")
}

impl Effort {
    fn usual() -> Self {
        if is_quick() { Self { rounds: 1, seconds: 2 } } else { Self { rounds: 5, seconds: 4 } }
    }
}

/// The middle one. Of an even number the lower, which is a figure that was measured.
fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}
