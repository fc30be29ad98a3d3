//! A check of a deployment with a real Redis.

use std::time::{Duration, Instant};

use auth_proxy::options::RevocationList;
use auth_proxy::store::{Redis, RedisOptions};
use auth_proxy::testing::FakeUpstream;
use auth_proxy_redis::StoreError;
use auth_proxy_tests::doctor::{assert_silent, codes};
use auth_proxy_tests::redis::{Cluster, Server};

use crate::revocation::Auth;
use crate::support::Store;

fn auth(upstream: &FakeUpstream, redis: &str) -> Auth {
    auth_proxy_tests::watch::start();
    Auth::builder()
        .upstream_base_url(upstream.url())
        .upstream_secret([upstream.secret()])
        .public_url("http://localhost:3000")
        .session_cache(Duration::from_secs(30))
        .session_revocation(RevocationList::Store)
        .session_store(Redis::new(RedisOptions::new(redis)).unwrap())
        .build()
        .unwrap()
}

/// The link is made while the check waits, and nothing is read from it in its grace period of five seconds.
#[tokio::test]
async fn check_at_the_start_is_silent() {
    let (upstream, redis) = (FakeUpstream::start().await.unwrap(), Server::start());
    let began = Instant::now();
    assert_silent(&auth(&upstream, &redis.url()).check().await, "at the start");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[tokio::test]
async fn check_finds_a_redis_that_is_down_or_wants_a_password() {
    let upstream = FakeUpstream::start().await.unwrap();
    let (down, closed) = (Server::stopped(&[]), Server::with(&["--requirepass", "s3cret-of-redis"]));
    for redis in [&down, &closed] {
        let report = auth(&upstream, &redis.url()).check().await;
        assert_eq!(codes(&report), ["store_failed"], "{report}");
        assert!(report.is_ok(), "{report}");
    }
}

#[tokio::test]
async fn ping_leaves_nothing_in_redis_and_works_in_the_grace_period() {
    let redis = Server::start();
    let store = Store::with_grace(&redis.url()).await;
    store.store.ping().await.unwrap();
    assert!(matches!(store.store.get(&[1; 32]).await, Err(StoreError::Down)), "the grace period is not over");
    tokio::time::sleep(Duration::from_millis(50)).await;
    let keys = redis.ask("KEYS auth-proxy:s:*");
    assert!(!keys.contains("auth-proxy:s:"), "{keys}");
    redis.pause();
    assert!(store.store.ping().await.is_err());
}

#[tokio::test]
async fn ping_reaches_the_nodes_of_a_cluster() {
    let cluster = Cluster::start();
    let store = Store::up(&cluster.url()).await;
    for _ in 0..10 {
        store.store.ping().await.unwrap();
    }
}
