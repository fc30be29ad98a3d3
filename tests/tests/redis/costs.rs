//! What the calls cost. The documentation of the crate has these numbers.

use std::time::Duration;

use auth_proxy_tests::redis::Server;
use tokio::time::sleep;

use crate::support::{Store, note};

#[derive(Debug)]
struct Cost {
    scripts: f64,
    sent: f64,
    received: f64,
}

fn totals(redis: &Server) -> [f64; 3] {
    let stats = redis.ask("INFO commandstats");
    let calls = stats
        .lines()
        .find_map(|line| line.strip_prefix("cmdstat_evalsha:calls=")?.split(',').next()?.parse::<f64>().ok());
    let number = |field| f64::from(u32::try_from(redis.info(field)).unwrap());
    [calls.unwrap_or_default(), number("total_net_input_bytes"), number("total_net_output_bytes")]
}

/// The cost since `before` of each of `times` calls. The answers to `INFO` are subtracted.
fn since(redis: &Server, before: [f64; 3], times: f64) -> Cost {
    let now = totals(redis);
    let info = totals(redis);
    let each = |index: usize| (2.0 * now[index] - info[index] - before[index]) / times;
    Cost { scripts: each(0), sent: each(1), received: each(2) }
}

#[tokio::test]
async fn calls_cost_what_the_documentation_says() {
    let redis = Server::start();
    let store = Store::up(&redis.url()).await;
    sleep(Duration::from_millis(1200)).await;
    let value = [7; 500];
    let keys: Vec<[u8; 32]> = (0..200).map(|number| [number; 32]).collect();

    let before = totals(&redis);
    sleep(Duration::from_secs(5)).await;
    let beats = since(&redis, before, 5.0);
    println!("beats in a second: {beats:?}");
    assert!((3.0..=5.0).contains(&beats.scripts) && beats.sent < 2000.0 && beats.received < 1000.0);

    let before = totals(&redis);
    let mut tickets = Vec::new();
    for key in &keys {
        tickets.push(store.ticket(key).await);
    }
    let misses = since(&redis, before, 200.0);
    println!("get without a value: {misses:?}");
    assert!(misses.scripts < 1.2 && misses.sent < 300.0 && misses.received < 150.0);

    let before = totals(&redis);
    for ticket in &tickets {
        assert!(store.put(ticket, &value).await);
    }
    let puts = since(&redis, before, 200.0);
    println!("put of 500 bytes: {puts:?}");
    assert!(puts.scripts < 1.2 && puts.sent < 900.0 && puts.received < 100.0);

    let before = totals(&redis);
    for key in &keys {
        assert!(store.value(key).await.is_some());
    }
    let hits = since(&redis, before, 200.0);
    println!("get of 500 bytes: {hits:?}");
    assert!(hits.scripts < 1.2 && hits.sent < 300.0 && hits.received < 700.0);

    let before = totals(&redis);
    for key in &keys {
        store.end(key).await;
    }
    let ends = since(&redis, before, 200.0);
    println!("end with one instance: {ends:?}");
    assert!(ends.scripts < 2.2 && ends.sent < 900.0 && ends.received < 500.0);

    let before = totals(&redis);
    for number in 0..200 {
        let mut note = note(number);
        note.bytes.resize(34, 0);
        store.note(&note).await;
    }
    let notes = since(&redis, before, 200.0);
    println!("note of 34 bytes with one instance: {notes:?}");
    assert!(notes.scripts < 1.2 && notes.sent < 700.0 && notes.received < 400.0);

    let before = totals(&redis);
    let _second = Store::up(&redis.url()).await;
    let read = since(&redis, before, 200.0);
    println!("each of 200 notes of 34 bytes at a start: {read:?}");
    assert!(read.received < 100.0);
}
