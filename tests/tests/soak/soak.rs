use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use auth_proxy::testing::{FakeUpstream, Fault};
use auth_proxy_tests::alive_tasks;

use crate::client::{ENOUGH, Load, start};
use crate::verdict::Verdict;
use crate::world::{Auth, app, settle};
use crate::{TURN, duration, is_over, resident};

const CLIENTS: usize = 50;
const ENTRIES: u32 = 500;
/// Shorter than some of the upstream's absences.
const TIMEOUT: Duration = Duration::from_millis(250);

/// What befalls the upstream besides that it dies, which it does every other time.
const OTHERS: [Fault; 7] = [
    Fault::ResetBeforeHead,
    Fault::ResetWithinBody,
    Fault::TruncatedBody,
    Fault::HangBeforeHead,
    Fault::HangWithinBody,
    Fault::InternalError,
    Fault::Garbage,
];

/// In KiB, however long it goes on.
const MOST_GROWTH: u64 = 12 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_let_in_or_logged_out_while_the_upstream_comes_and_goes() {
    let _turn = TURN.lock().await;
    let lasting = duration("SOAK_SECONDS");
    let upstream = FakeUpstream::start().await.unwrap();
    let builder = || Auth::builder().upstream_base_url(upstream.url()).upstream_timeout(TIMEOUT);
    // Few entries, so that what is remembered has its full size soon.
    let remembering = builder().session_cache(Duration::from_millis(100)).session_cache_entries(ENTRIES);
    let remembering = remembering.session_stale_if_error(Duration::from_millis(300));
    let (plain, remembering) = (app(builder()).await, app(remembering).await);
    let tasks = alive_tasks();
    let load = Arc::new(Load {
        origins: vec![plain.url(""), remembering.url("")],
        secret: upstream.secret().to_owned(),
        timeout: TIMEOUT,
        users: 3,
        is_over: false.into(),
        tally: Mutex::default(),
    });
    // Making the clients takes seconds on a busy machine, and is no part of the run.
    let clients = start(&load, CLIENTS);
    let began = Instant::now();
    // The memory when they all have been at it for a while, and how often the upstream had died by then.
    let (mut deaths, mut warm) = (0, None);
    let tried_enough = || load.has_tried(&[Verdict::Right]) && load.has_tried(&[Verdict::Failed]);
    // At least one round after that moment, however long a round takes.
    while warm.is_none_or(|(at, _)| deaths == at) || !is_over(began, lasting, tried_enough) {
        upstream.set_fault(Some(fault(deaths))).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100 + 140 * (deaths % 4))).await;
        upstream.set_fault(None).await.unwrap();
        tokio::time::sleep(Duration::from_millis(150 + 90 * (deaths % 5))).await;
        deaths += 1;
        upstream.forget_seen();
        if began.elapsed() > lasting / 4 {
            warm.get_or_insert_with(|| (deaths, resident()));
        }
    }
    load.is_over.store(true, Relaxed);
    for client in clients {
        client.await.unwrap().ask_for_everything().await;
    }
    settle(&upstream, tasks).await;
    let ((_, warm), end) = (warm.expect("a quarter of the time went by"), resident());
    let tally = load.tally.lock().unwrap();
    println!(
        "{lasting:?}, the upstream died {deaths} times, {CLIENTS} clients: {:?}, {} wrong; the longest took {} ms; \
         memory {warm} KiB after a quarter, {end} KiB at the end; tasks and connections as before",
        tally.verdicts,
        tally.wrongs,
        tally.longest.as_millis(),
    );
    assert!(tally.wrong.is_empty(), "{}", tally.wrong.join("\n"));
    // Else nothing was tried.
    assert!(tally.of(Verdict::Right) > ENOUGH && tally.of(Verdict::Failed) > ENOUGH, "{tally:?}");
    assert!(end < warm + MOST_GROWTH, "memory grew from {warm} to {end} KiB");
}

fn fault(n: u64) -> Fault {
    let other = usize::try_from(n / 2).unwrap() % OTHERS.len();
    if n.is_multiple_of(2) { Fault::Refused } else { OTHERS[other] }
}
