//! Three instances share their sessions over Redis, while visitors sign in and out and Redis is paused, killed, failed
//! over, flushed, filled and given garbage. A request that begins after the answer to a sign-out is refused, at each
//! instance.
//!
//! Each part of the protocol is left out once: then some are let in. Needs `redis-server`.
//! `STORM_SECONDS=600 cargo test -p auth-proxy-tests --test storm -- --nocapture` storms longer.
#![cfg(unix)]

mod ablated;
mod faults;
mod instances;
mod upstream;
mod visitors;

use std::sync::Arc;
use std::time::{Duration, Instant};

use auth_proxy_tests::redis::Sentinel;

use self::ablated::Parts;
use self::faults::Faults;
use self::instances::Instances;
use self::upstream::Upstream;
use self::visitors::{Report, storm};

fn duration(seconds: u64) -> Duration {
    let set = std::env::var("STORM_SECONDS").ok().map(|text| text.parse().expect("STORM_SECONDS in seconds"));
    Duration::from_secs(set.unwrap_or(seconds))
}

/// Storms against instances with these parts of the protocol.
async fn run(name: &str, parts: Parts, time: Duration, faults: Option<Faults>) -> Report {
    let redis = tokio::task::spawn_blocking(Sentinel::start).await.unwrap();
    let upstream = Arc::new(Upstream::default());
    let instances = Instances::start(&upstream, &redis.url(), parts).await;
    let until = Instant::now() + time;
    let breaking = tokio::task::spawn_blocking(move || match faults {
        Some(faults) => faults.run(redis, until),
        None => {
            std::thread::sleep(until.saturating_duration_since(Instant::now()));
            redis
        }
    });
    let report = storm(&instances, &upstream, until).await;
    drop(breaking.await.unwrap());
    println!("storm: {name}: {report}");
    report
}

/// The tests share two cores and the clock of their deadlines, so they run one after the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_let_in_after_a_sign_out_whatever_happens_to_redis() {
    let report = run("all parts", Parts::ALL, duration(60), Some(Faults::All)).await;
    assert_eq!(report.let_in, 0, "let in after the answer to the sign-out");
    assert_eq!(report.signed_out, 0, "signed out without a sign-out");
    assert_eq!(report.failed, 0, "neither let in nor signed out");
    // Otherwise the storm would prove nothing.
    assert!(report.sign_outs > 100 && report.cached_share() > 0.5, "{report}");

    let calm = run("all parts, calm", Parts::ALL, duration(10), None).await;
    assert_eq!((calm.let_in, calm.signed_out, calm.failed), (0, 0, 0));

    let slow = Parts { slow: true, ..Parts::ALL };
    let calm = run("all parts, slow puts", slow, duration(10), None).await;
    assert_eq!((calm.let_in, calm.signed_out, calm.failed), (0, 0, 0));

    for (name, parts, faults) in [
        ("without tickets", Parts { tickets: false, ..slow }, None),
        ("without broadcast", Parts { broadcast: false, ..Parts::ALL }, None),
        ("without flush", Parts { flush: false, ..Parts::ALL }, Some(Faults::Pauses)),
    ] {
        let report = run(name, parts, duration(12), faults).await;
        assert!(
            report.let_in > 0,
            "{name}: nobody was let in, so the storm does not find what this part is for"
        );
    }
}
