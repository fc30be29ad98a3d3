//! The measured costs.

use std::time::Duration;

use crate::Error;
use crate::shared::costs::{self, Cost, Costs};
use crate::shared::sessions;

/// Costs with the time and the machine of their measurement.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) when: &'static str,
    pub(super) costs: Costs,
    /// Bytes that a session takes in the memory of an instance.
    pub(super) in_memory: f64,
    /// Bytes that a session takes in Redis.
    pub(super) in_redis: f64,
}

const fn cost(scripts: f64, messages: f64, commands: f64, to: f64, from: f64, cpu: f64) -> Cost {
    Cost { scripts, messages, commands, to, from, cpu }
}

/// What `scale --measure` printed.
pub(super) const THEN: Measured = Measured {
    when: "2026-11-28, AMD EPYC, 2 cores, Linux 6.18, redis-server 7.0.15 on the same machine",
    costs: Costs {
        first: cost(2.0, 0.0, 6.0, 670.0, 58.0, 70.0),
        elsewhere: cost(1.0, 0.0, 3.0, 187.0, 327.0, 36.0),
        later: cost(0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
        unknown: cost(1.0, 0.0, 3.0, 187.0, 54.0, 38.0),
        beats: cost(4.0, 4.0, 36.0, 1184.0, 496.0, 244.0),
        sign_out: cost(4.0, 4.0, 20.0, 972.0, 508.0, 168.0),
        sign_out_each: cost(0.0, 2.0, 2.0, 186.0, 450.0, 19.0),
    },
    in_memory: 1_671.0,
    in_redis: 490.0,
};

/// Measures everything anew.
pub(super) fn now() -> Result<Measured, Error> {
    // First, as memory that was used before would be used again.
    let in_memory = in_memory()?;
    let costs = costs::measure()?;
    Ok(Measured { when: "now, on this machine", costs, in_memory, in_redis: in_redis()? })
}

/// The sessions whose memory is measured.
const SESSIONS: u32 = 50_000;

fn in_memory() -> Result<f64, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let auth = sessions::asking(Duration::from_secs(3600), None)?;
    runtime.block_on(async {
        auth.session(&sessions::headers(0)?).await?;
        let before = crate::measure::own_memory()?;
        for n in 0..SESSIONS {
            auth.session(&sessions::headers(u64::from(n))?).await?.ok_or("no session")?;
        }
        Ok((crate::measure::own_memory()? - before) * 1024.0 / f64::from(SESSIONS))
    })
}

fn in_redis() -> Result<f64, Error> {
    costs::stored_bytes()
}
