//! Notes: the list that all instances know.

use std::time::Duration;

use auth_proxy_redis::{Note, Options, StoreError};
use auth_proxy_tests::redis::{Cluster, Server};
use auth_proxy_tests::settles;
use tokio::time::{Instant, sleep};

use crate::support::{GRACE, Seen, Store, note, note_until, now};

const LIST: &str = "{auth-proxy:links}:notes";

/// The number of notes in Redis. One more entry is the mark.
fn listed(redis: &Server) -> i64 {
    redis.ask(&format!("ZCARD {LIST}")).trim().trim_start_matches(':').parse::<i64>().unwrap() - 1
}

#[tokio::test]
async fn a_note_returns_after_all_instances_have_it() {
    let redis = Server::start();
    let (one, two, three) =
        (Store::up(&redis.url()).await, Store::up(&redis.url()).await, Store::up(&redis.url()).await);
    // Over a young link, a call waits until no instance can trust what was before it.
    sleep(Duration::from_millis(1200)).await;
    let mut times = Vec::new();
    for number in 0..50 {
        let note = note(number);
        let began = Instant::now();
        one.note(&note).await;
        times.push(began.elapsed());
        assert!([&one, &two, &three].iter().all(|store| store.knows(&note)));
    }
    times.sort();
    println!("note with three instances: median {:?}, slowest {:?}", times[25], times[49]);
    assert!(times[25] < Duration::from_millis(200), "{times:?}");
    assert_eq!(listed(&redis), 50);
    let four = Store::up(&redis.url()).await;
    let events = four.events.lock().unwrap();
    let (noted, up) = (
        events.iter().position(|seen| matches!(seen, Seen::Noted(_))),
        events.iter().position(|seen| *seen == Seen::Up),
    );
    assert!(noted < up, "the list is read before the link is up");
    drop(events);
    assert_eq!(four.known.lock().unwrap().len(), 50);
}

#[tokio::test]
async fn a_note_waits_for_an_instance_that_does_not_answer() {
    let redis = Server::start();
    let (one, two) = (Store::up(&redis.url()).await, Store::up(&redis.url()).await);
    sleep(Duration::from_millis(1200)).await;
    // An instance that sent a beat just now, and that receives nothing.
    redis.run("EVAL \"local t = redis.call('TIME') return redis.call('ZADD', KEYS[1], t[1] * 1000 + t[2] / 1000, '0123456789abcdef')\" 1 {auth-proxy:links}:alive");
    let note = note(1);
    let began = Instant::now();
    let timed = async |store: &Store| {
        store.note(&note).await;
        began.elapsed()
    };
    // Redis has the note before the second call, but that instance may not.
    for time in <[_; 2]>::from(tokio::join!(timed(&one), timed(&two))) {
        assert!((Duration::from_millis(990)..Duration::from_millis(1500)).contains(&time), "{time:?}");
    }
}

#[tokio::test]
async fn notes_of_a_wrong_size_are_refused() {
    let redis = Server::start();
    let store = Store::up(&redis.url()).await;
    for length in [0, 65, 300] {
        let note = Note { bytes: vec![7; length], until: now() + 9 };
        assert_eq!(store.store.note(&[note]).await, Err(StoreError::TooLarge));
    }
    assert_eq!(store.store.note(&[]).await, Ok(()));
    let note = Note { bytes: vec![7; 64], until: now() + 9 };
    store.note(&note).await;
    assert!(store.knows(&note) && listed(&redis) == 1);
    assert!(!format!("{note:?}").contains("7, 7"));
}

#[tokio::test]
async fn twenty_thousand_notes_are_added_and_read_back() {
    let redis = Server::start();
    let (one, two) = (Store::up(&redis.url()).await, Store::up(&redis.url()).await);
    let notes: Vec<_> = (0..20_000).map(note).collect();
    let began = Instant::now();
    one.store.note(&notes).await.unwrap();
    println!("20,000 notes added: {:?}", began.elapsed());
    assert_eq!(two.known.lock().unwrap().len(), 20_000);
    let largest = two
        .events
        .lock()
        .unwrap()
        .iter()
        .map(|seen| if let Seen::Noted(notes) = seen { notes.len() } else { 0 })
        .max();
    assert!(largest <= Some(500), "{largest:?}");
    let began = Instant::now();
    let three = Store::up(&redis.url()).await;
    println!("link up with 20,000 notes: {:?}", began.elapsed());
    assert_eq!(three.known.lock().unwrap().len(), 20_000);
    // Notes that Redis has already are not published again.
    sleep(Duration::from_millis(1500)).await;
    for store in [&one, &two, &three] {
        assert_eq!(store.times_noted(&notes[7]), 1);
    }
    let began = Instant::now();
    redis.run("FLUSHALL");
    for store in [&one, &two, &three] {
        store.goes_down(1).await;
    }
    assert!(settles(|| listed(&redis) == 20_000).await, "{}", listed(&redis));
    println!("20,000 notes given back by three instances after FLUSHALL: {:?}", began.elapsed());
}

#[tokio::test]
async fn the_list_comes_back_from_the_instances() {
    let mut redis = Server::start();
    let (one, two) = (Store::up(&redis.url()).await, Store::up(&redis.url()).await);
    for number in 0..1200 {
        one.known.lock().unwrap().insert(note(number).bytes);
    }
    two.note(&note(9999)).await;
    redis.run("FLUSHALL");
    one.comes_up(2).await;
    assert!(settles(|| listed(&redis) == 1201).await, "{}", listed(&redis));
    assert!(settles(|| two.known.lock().unwrap().len() == 1201).await);
    redis.kill();
    redis.restart();
    one.comes_up(3).await;
    two.comes_up(3).await;
    assert!(settles(|| listed(&redis) == 1201).await, "{}", listed(&redis));
    assert_eq!(Store::up(&redis.url()).await.known.lock().unwrap().len(), 1201);
}

/// Redis with little memory and an eviction policy may drop the list alone.
#[tokio::test]
async fn a_list_that_is_dropped_or_replaced_comes_back() {
    let redis = Server::start();
    let (one, two) = (Store::up(&redis.url()).await, Store::up(&redis.url()).await);
    let note = note(1);
    one.note(&note).await;
    for (times, command) in [
        format!("DEL {LIST}"),
        format!("SET {LIST} text"),
        format!("EVAL \"redis.call('DEL', KEYS[1]) redis.call('ZADD', KEYS[1], 5, '')\" 1 {LIST}"),
        format!("ZREM {LIST} \"\""),
    ]
    .iter()
    .enumerate()
    {
        redis.run(command);
        one.comes_up(times + 2).await;
        two.comes_up(times + 2).await;
        assert!(settles(|| listed(&redis) == 1).await, "{command}: {}", redis.ask(&format!("TYPE {LIST}")));
        let new = Store::up(&redis.url()).await;
        assert!(new.knows(&note), "{command}");
    }
    assert_eq!(two.times(&Seen::Lost), 4);
}

#[tokio::test]
async fn notes_that_were_not_sent_are_replayed() {
    let redis = Server::start();
    let (one, two) = (Store::up(&redis.url()).await, Store::up(&redis.url()).await);
    sleep(Duration::from_millis(1200)).await;
    redis.pause();
    let began = Instant::now();
    let noted = one.store.note(&[note(1)]).await;
    let time = began.elapsed();
    assert!(matches!(noted, Err(StoreError::Down | StoreError::Timeout)), "{noted:?}");
    assert!(time < Duration::from_millis(3400), "{time:?}");
    assert_eq!(one.store.note(&[note(2)]).await, Err(StoreError::Down));
    two.goes_down(1).await;
    redis.resume();
    one.comes_up(2).await;
    assert_eq!(listed(&redis), 2, "replayed before the link is up");
    two.comes_up(2).await;
    assert!(settles(|| two.known.lock().unwrap().len() == 2).await);
}

#[tokio::test]
async fn notes_before_the_first_link_are_replayed() {
    let mut redis = Server::stopped(&[]);
    let one = Store::new(Options::new(redis.url()));
    // More than are kept for the replay. The rest is given back.
    let notes: Vec<_> = (0..5000).map(note).collect();
    assert_eq!(one.store.note(&notes).await, Err(StoreError::Down));
    assert_eq!(one.store.note(&notes).await, Err(StoreError::Down));
    redis.restart();
    one.comes_up(1).await;
    assert_eq!(listed(&redis), 4096);
    one.known.lock().unwrap().extend(notes.iter().map(|note| note.bytes.clone()));
    redis.run("FLUSHALL");
    assert!(settles(|| listed(&redis) == 5000).await, "{}", listed(&redis));
}

#[tokio::test]
async fn notes_end() {
    let redis = Server::start();
    let (one, two) = (Store::up(&redis.url()).await, Store::up(&redis.url()).await);
    let over = [0, 1, now() - 3601].map(|until| note_until(1, until));
    for note in &over {
        one.note(note).await;
        assert!(!one.knows(note) && !two.knows(note));
    }
    assert_eq!(listed(&redis), 0);
    // It ended, but other clocks may be behind.
    let (ends, stays) = (note_until(2, now() - 3598), note_until(3, u64::MAX));
    one.note(&ends).await;
    one.note(&stays).await;
    assert!(two.knows(&ends) && two.knows(&stays));
    assert_eq!(listed(&redis), 2);
    sleep(Duration::from_secs(4)).await;
    one.note(&note(4)).await;
    assert_eq!(listed(&redis), 2, "one is over");
    // No note stays for ever.
    let score = redis.ask(&format!("ZREVRANGE {LIST} 1 1 WITHSCORES"));
    let score: u64 = score.lines().last().unwrap().trim().parse().unwrap();
    assert!((now() + 63_000_000..now() + 63_100_000).contains(&score), "{score}");
    // A later end counts.
    let first = note_until(5, now() + 10);
    let second = Note { until: now() + 9000, ..first.clone() };
    for note in [&first, &second, &first] {
        one.note(note).await;
    }
    let scores = redis.ask(&format!("ZCOUNT {LIST} {} {}", now() + 8000, now() + 9999));
    assert_eq!(scores, ":1\r\n");
}

#[tokio::test]
async fn foreign_entries_are_passed_on_or_left_out() {
    let redis = Server::start();
    let one = Store::up(&redis.url()).await;
    one.note(&note(1)).await;
    let score = now() + 100;
    redis.run(&format!(
        "ZADD {LIST} {score} garbage {score} \"\\xff\\x00\" {score} {} inf endless -inf old",
        "x".repeat(65)
    ));
    redis.run(&format!(
        "EVAL \"return redis.call('ZADD', KEYS[1], ARGV[1], string.rep('y', 5000000))\" 1 {LIST} {score}"
    ));
    let two = Store::up(&redis.url()).await;
    let known = two.known.lock().unwrap().clone();
    for bytes in [b"garbage".as_slice(), b"\xff\x00", b"endless", b"old"] {
        assert!(known.contains(bytes), "{bytes:?}");
    }
    assert!(known.iter().all(|bytes| (1..=64).contains(&bytes.len())));
    assert_eq!(known.len(), 5);
    let new = note(2);
    one.note(&new).await;
    assert!(two.knows(&new));
    // A message that is cut off is one that this version does not understand.
    redis.run("PUBLISH auth-proxy:ended \"\\x01N0123456789abcdef01234567\\x05abc\"");
    two.comes_up(2).await;
}

#[tokio::test]
async fn a_full_memory_takes_notes() {
    let redis = Server::start();
    let (one, two) = (Store::up(&redis.url()).await, Store::up(&redis.url()).await);
    redis.run("CONFIG SET maxmemory 1");
    one.note(&note(1)).await;
    assert_eq!(two.known.lock().unwrap().len(), 1);
    let three = Store::up(&redis.url()).await;
    assert_eq!(three.known.lock().unwrap().len(), 1);
    redis.run("FLUSHALL");
    assert!(settles(|| listed(&redis) == 1).await);
    assert_eq!(redis.ask("SET other value").get(..4), Some("-OOM"));
}

#[tokio::test]
async fn notes_are_known_without_the_grace_period_if_another_instance_knows_them() {
    let mut redis = Server::start();
    let first = Store::with_grace(&redis.url()).await;
    assert_eq!(first.times(&Seen::NotesKnown), 0, "other instances may have to give back what they know");
    first.note(&note(1)).await;
    sleep(GRACE + Duration::from_millis(600)).await;
    assert!(first.times(&Seen::NotesKnown) > 0);
    let second = Store::with_grace(&redis.url()).await;
    assert!(settles(|| second.times(&Seen::NotesKnown) > 0).await);
    assert_eq!((second.times_alive(), second.known.lock().unwrap().len()), (0, 1));
    // A server without its data: each instance may lack what another has.
    redis.kill();
    redis.restart();
    first.comes_up(2).await;
    let new = Store::with_grace(&redis.url()).await;
    sleep(GRACE / 2).await;
    assert_eq!(new.times(&Seen::NotesKnown), 0);
    assert!(settles(|| new.times(&Seen::NotesKnown) > 0).await);
    // A list that was dropped.
    redis.run(&format!("DEL {LIST}"));
    let newer = Store::with_grace(&redis.url()).await;
    assert_eq!(newer.times(&Seen::NotesKnown), 0);
}

#[tokio::test]
async fn a_cluster_has_notes_too() {
    let cluster = Cluster::start();
    let (one, two) = (Store::up(&cluster.url()).await, Store::up(&cluster.url()).await);
    let notes: Vec<_> = (0..1500).map(note).collect();
    one.store.note(&notes).await.unwrap();
    assert_eq!(two.known.lock().unwrap().len(), 1500);
    assert_eq!(Store::up(&cluster.url()).await.known.lock().unwrap().len(), 1500);
}

/// Also a list that takes long to read comes up, and is given back page by page.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_list_is_read() {
    let redis = Server::start();
    let until = now() + 9000;
    // In parts, because a script blocks the server.
    for part in 0..10 {
        redis.run(&format!(
            "EVAL \"for n = 1, 50000 do redis.call('ZADD', KEYS[1], ARGV[1], 'note' .. string.format('%02d%08d', ARGV[2], n)) end\" 1 {LIST} {until} {part}"
        ));
    }
    let began = Instant::now();
    let store = Store::up(&redis.url()).await;
    println!("link up with 500,000 notes: {:?}", began.elapsed());
    assert_eq!(store.known.lock().unwrap().len(), 500_000);
    assert!(settles(|| store.times_alive() > 8).await);
    assert_eq!(store.times(&Seen::Lost), 0);
}
