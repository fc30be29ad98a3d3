use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use auth_proxy::testing::{FakeUpstream, Fault};
use auth_proxy_tests::alive_tasks;

use crate::client::{ENOUGH, Load, start};
use crate::support::{Auth, app, settle};
use crate::verdict::Verdict;
use crate::{ONE_AT_A_TIME, duration, is_over, resident};

const CLIENTS: usize = 50;
const ENTRIES: u32 = 500;
/// The timeout is shorter than some of the outages.
const TIMEOUT: Duration = Duration::from_millis(250);

/// The faults of every second outage. In the others the upstream refuses connections.
const OTHER_FAULTS: [Fault; 7] = [
    Fault::ResetBeforeHead,
    Fault::ResetWithinBody,
    Fault::TruncatedBody,
    Fault::HangBeforeHead,
    Fault::HangWithinBody,
    Fault::InternalError,
    Fault::Garbage,
];

/// The most that memory may grow, in KiB, however long the run is.
const MOST_GROWTH: u64 = 12 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outages_under_load_sign_nobody_in_or_out() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let lasting = duration("SOAK_SECONDS");
    let upstream = FakeUpstream::start().await.unwrap();
    let builder = || Auth::builder().upstream_base_url(upstream.url()).upstream_timeout(TIMEOUT);
    // A small cache reaches its full size early.
    let caching = builder().session_cache(Duration::from_millis(100)).session_cache_entries(ENTRIES);
    let caching = caching.session_stale_if_error(Duration::from_millis(300));
    let (plain, caching) = (app(builder()).await, app(caching).await);
    let tasks = alive_tasks();
    let load = Arc::new(Load {
        origins: vec![plain.url(""), caching.url("")],
        secret: upstream.secret().to_owned(),
        timeout: TIMEOUT,
        users: 3,
        is_over: false.into(),
        tally: Mutex::default(),
    });
    // Creating the clients takes seconds on a busy machine, so the time starts afterwards.
    let clients = start(&load, CLIENTS);
    let began = Instant::now();
    // `warm`: after a quarter of the time, the number of outages so far and the memory.
    let (mut outages, mut warm) = (0, None);
    let tried_enough = || load.has_tried(&[Verdict::Right]) && load.has_tried(&[Verdict::Failed]);
    // The run goes on until at least one outage has followed that measurement.
    while warm.is_none_or(|(outages_then, _)| outages == outages_then)
        || !is_over(began, lasting, tried_enough)
    {
        upstream.set_fault(Some(fault(outages))).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100 + 140 * (outages % 4))).await;
        upstream.set_fault(None).await.unwrap();
        tokio::time::sleep(Duration::from_millis(150 + 90 * (outages % 5))).await;
        outages += 1;
        upstream.forget_seen();
        if began.elapsed() > lasting / 4 {
            warm.get_or_insert_with(|| (outages, resident()));
        }
    }
    load.is_over.store(true, Relaxed);
    for client in clients {
        client.await.unwrap().ask_for_everything().await;
    }
    settle(&upstream, tasks).await;
    let ((_, warm), end) = (warm.expect("the memory was measured after a quarter of the time"), resident());
    let tally = load.tally.lock().unwrap();
    println!(
        "{lasting:?}, {outages} outages, {CLIENTS} clients: {:?}, {} wrong; the longest took {} ms; \
         memory {warm} KiB after a quarter, {end} KiB at the end; tasks and connections as before",
        tally.verdicts,
        tally.wrongs,
        tally.longest.as_millis(),
    );
    assert!(tally.wrong.is_empty(), "{}", tally.wrong.join("\n"));
    // A run with few requests proves nothing.
    assert!(tally.of(Verdict::Right) > ENOUGH && tally.of(Verdict::Failed) > ENOUGH, "{tally:?}");
    assert!(end < warm + MOST_GROWTH, "memory grew from {warm} to {end} KiB");
}

fn fault(n: u64) -> Fault {
    let other = usize::try_from(n / 2).unwrap() % OTHER_FAULTS.len();
    if n.is_multiple_of(2) { Fault::Refused } else { OTHER_FAULTS[other] }
}
