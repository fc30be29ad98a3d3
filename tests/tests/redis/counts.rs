//! Counters, which several instances share.

use std::time::Duration;

use auth_proxy_redis::{Options, StoreError};
use auth_proxy_tests::redis::{Cluster, Server};
use tokio::time::sleep;

use crate::support::{Seen, Store};

const WINDOW: Duration = Duration::from_secs(2);

async fn count(store: &Store, key: u8) -> (u64, Duration) {
    store.store.count(&[key; 32], WINDOW).await.unwrap().unwrap()
}

#[tokio::test]
async fn instances_count_together_in_a_window_that_is_not_lengthened() {
    let redis = Server::start();
    let (one, two) = (Store::up(&redis.url()).await, Store::up(&redis.url()).await);
    let mut lefts = Vec::new();
    for expected in [1, 3, 5] {
        for (store, expected) in [(&one, expected), (&two, expected + 1)] {
            let (counted, left) = count(store, 7).await;
            assert_eq!(counted, expected);
            lefts.push(left);
        }
        sleep(Duration::from_millis(300)).await;
    }
    assert!(lefts.is_sorted_by(|a, b| a >= b) && lefts[5] < Duration::from_millis(1500), "{lefts:?}");
    assert_eq!(count(&one, 8).await.0, 1, "another key");
    sleep(lefts[5]).await;
    assert_eq!(count(&two, 7).await, (1, WINDOW));
}

/// Concurrent counts of two instances: each number is given once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_counts_are_never_lost() {
    let redis = Server::start();
    let stores = [Store::up(&redis.url()).await, Store::up(&redis.url()).await];
    let tasks: Vec<_> = stores
        .iter()
        .cycle()
        .take(100)
        .map(|store| {
            let store = store.store.clone();
            tokio::spawn(
                async move { store.count(&[7; 32], Duration::from_secs(60)).await.unwrap().unwrap().0 },
            )
        })
        .collect();
    let mut counts = Vec::new();
    for task in tasks {
        counts.push(task.await.unwrap());
    }
    counts.sort_unstable();
    assert_eq!(counts, (1..=100).collect::<Vec<u64>>());
}

#[tokio::test]
async fn counter_without_an_end_gets_one() {
    let redis = Server::start();
    let store = Store::up(&redis.url()).await;
    assert_eq!(count(&store, 7).await.0, 1);
    let key = redis.ask("KEYS auth-proxy:c:*").lines().last().unwrap().trim().to_owned();
    redis.run(&format!("PERSIST {key}"));
    assert_eq!(count(&store, 7).await, (2, WINDOW));
}

/// The link stays up: sessions can still be read.
#[tokio::test]
async fn full_memory_counts_nothing_and_keeps_the_link() {
    let redis = Server::start();
    let store = Store::up(&redis.url()).await;
    assert_eq!(count(&store, 7).await.0, 1);
    redis.run("CONFIG SET maxmemory 1");
    for _ in 0..3 {
        assert_eq!(store.store.count(&[7; 32], WINDOW).await.unwrap(), None);
    }
    redis.run("CONFIG SET maxmemory 0");
    assert_eq!(count(&store, 7).await.0, 2);
    assert_eq!(store.times(&Seen::Lost), 0);
}

/// Anybody can cause a count, so no error that Redis answers to one must cost the instance its link.
#[tokio::test]
async fn count_that_redis_refuses_keeps_the_link() {
    let redis = Server::start();
    let store = Store::up(&redis.url()).await;
    assert_eq!(count(&store, 7).await.0, 1);
    let key = redis.ask("KEYS auth-proxy:c:*").lines().last().unwrap().trim().to_owned();
    redis.run(&format!("SET {key} garbage"));
    for _ in 0..3 {
        let refused = store.store.count(&[7; 32], WINDOW).await;
        assert!(matches!(refused, Err(StoreError::Server(_))), "{refused:?}");
    }
    sleep(Duration::from_millis(500)).await;
    assert_eq!(store.times(&Seen::Lost), 0);
    assert_eq!(count(&store, 8).await.0, 1);
    store.remember(&[1; 32], b"session").await;
}

#[tokio::test]
async fn store_without_a_link_counts_nothing() {
    let store = Store::new(Options::new("redis://127.0.0.1:9"));
    assert!(matches!(store.store.count(&[7; 32], WINDOW).await, Err(StoreError::Down)));
}

#[tokio::test]
async fn nodes_of_a_cluster_count() {
    let cluster = Cluster::start();
    let store = Store::up(&cluster.url()).await;
    for number in 0..10 {
        for expected in 1..=3 {
            assert_eq!(count(&store, number).await.0, expected);
        }
    }
}
