use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use auth_proxy::testing::{FakeUpstream, Fault};
use auth_proxy_tests::alive_tasks;

use crate::client::{ENOUGH, Load, start};
use crate::support::{Auth, app, settle};
use crate::verdict::Verdict;
use crate::{ONE_AT_A_TIME, duration, is_over, resident};

/// There are many more clients than concurrent lookups, and more users than cache entries.
const CLIENTS: usize = 200;
const CONCURRENCY: u32 = 8;
const ENTRIES: u32 = 500;

/// The response time of the upstream, and the timeout.
const SLOW: Duration = Duration::from_millis(40);
const TIMEOUT: Duration = Duration::from_millis(300);

/// The most that memory may grow in the second half of a run, in KiB. The allocator needs some of it. A short run
/// detects a leak of some KiB per request, and a long run a leak of some bytes.
const MOST_GROWTH: u64 = 12 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_is_bounded_under_overload() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let lasting = duration("SATURATE_SECONDS");
    let upstream = FakeUpstream::start().await.unwrap();
    let builder = || {
        Auth::builder()
            .upstream_base_url(upstream.url())
            .upstream_timeout(TIMEOUT)
            .upstream_concurrency(CONCURRENCY)
    };
    let caching = builder().session_cache(Duration::from_secs(1)).session_cache_entries(ENTRIES);
    let (plain, caching) = (app(builder()).await, app(caching).await);
    let tasks = alive_tasks();
    upstream.set_fault(Some(Fault::Delayed(SLOW))).await.unwrap();
    let load = Arc::new(Load {
        origins: vec![plain.url(""), caching.url("")],
        secret: upstream.secret().to_owned(),
        timeout: TIMEOUT,
        users: 20,
        is_over: false.into(),
        tally: Mutex::default(),
    });
    // Creating the clients takes seconds on a busy machine, so the time starts afterwards.
    let clients = start(&load, CLIENTS);
    let began = Instant::now();
    // The memory is measured ten times, first when all clients are running.
    let mut memory = Vec::new();
    let step = lasting / 10;
    const TOO_MUCH: [Verdict; 2] = [Verdict::Overloaded, Verdict::Late];
    let tried_enough = || load.has_tried(&[Verdict::Right]) && load.has_tried(&TOO_MUCH);
    for n in 1..=10 {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            upstream.forget_seen();
            if began.elapsed() >= step * n && (n < 10 || is_over(began, lasting, tried_enough)) {
                break;
            }
        }
        memory.push(resident());
    }
    load.is_over.store(true, Relaxed);
    let mut stopped = Vec::new();
    for client in clients {
        stopped.push(client.await.unwrap());
    }
    // Overload may only lead to 503 and 504, never to another failure.
    let failed = [Verdict::Failed, Verdict::CutOff, Verdict::ForwardedError];
    let failed = failed.map(|verdict| load.tally.lock().unwrap().of(verdict));
    upstream.set_fault(None).await.unwrap();
    for client in stopped {
        client.ask_for_everything().await;
    }
    settle(&upstream, tasks).await;
    let (start, middle, end) = (memory[0], memory[4], memory[9]);
    let tally = load.tally.lock().unwrap();
    println!(
        "{lasting:?}, {CLIENTS} clients, {CONCURRENCY} lookups at once: {:?}, {} wrong; the longest took {} ms; \
         memory {start} KiB at the start, {middle} KiB in the middle, {end} KiB at the end ({memory:?}), {} KiB \
         afterwards; tasks and connections as before",
        tally.verdicts,
        tally.wrongs,
        tally.longest.as_millis(),
        resident(),
    );
    assert!(tally.wrong.is_empty(), "{}", tally.wrong.join("\n"));
    assert_eq!(failed, [0, 0, 0], "{tally:?}");
    // Without overload the run proves nothing.
    let too_much: u64 = TOO_MUCH.iter().map(|verdict| tally.of(*verdict)).sum();
    assert!(tally.of(Verdict::Right) > ENOUGH && too_much > ENOUGH, "{tally:?}");
    assert!(end < middle + MOST_GROWTH, "memory grew: {memory:?} KiB");
}
