//! Measures what the list of revoked tokens adds to a token that was verified before.

use std::hint::black_box;
use std::time::Instant;

use http::HeaderMap;

use super::{is_quick, median};
use crate::report::{Row, Target, figure};
use crate::shared::revoked::Listed;
use crate::stats::Estimate;
use crate::{Error, tokens};

/// The measured tokens. All are verified before.
const TOKENS: usize = 4096;

/// The entries of the lists. The largest is near the most that a list holds.
const SIZES: [(&str, u64); 3] = [("empty", 0), ("1,000", 1_000), ("1,000,000", 995_000)];

pub(super) fn run() -> Result<(), Error> {
    let rounds = if is_quick() { 50 } else { 301 };
    let plain = tokens::auth(10_000)?;
    let pool = (0..TOKENS).map(|n| tokens::headers(&tokens::token(n))).collect::<Result<Vec<_>, _>>()?;
    for (label, entries) in SIZES {
        let mut listed = Listed::new(entries)?;
        each(&listed.auth, &pool)?;
        for (state, grows) in [("as before", false), ("changed", true)] {
            let (mut without, mut added) = (Vec::new(), Vec::new());
            for round in 0..rounds {
                if grows {
                    listed.grow(1)?;
                }
                // In turns, so that neither side always comes second.
                let (with, bare) = if round % 2 == 0 {
                    let bare = each(&plain, &pool)?;
                    (each(&listed.auth, &pool)?, bare)
                } else {
                    (each(&listed.auth, &pool)?, each(&plain, &pool)?)
                };
                without.push(bare);
                added.push(with - bare);
            }
            let (without, added) = (median(without), Estimate::of(added));
            let what = format!("list of {label}, {state}");
            figure(
                "revocation",
                &what,
                &format!("{without:.0} ns without a list, {:.0} ns more with it", added.median),
            )?;
            let what = format!("time of the check, list of {label}, {state}");
            Row::new("revocation", &what, added, " ns", Target::AtMost(60.0)).write()?;
        }
    }
    Ok(())
}

/// Nanoseconds from headers to claims, for each token of the pool once.
fn each(auth: &tokens::Auth, pool: &[HeaderMap]) -> Result<f64, Error> {
    let start = Instant::now();
    for headers in pool {
        black_box(tokens::decode(auth, black_box(headers))?);
    }
    Ok(start.elapsed().as_secs_f64() * 1e9 / f64::from(u32::try_from(pool.len())?))
}
