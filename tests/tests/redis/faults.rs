//! Servers that are dead, paused, flushed, or refuse the login.

use std::time::Duration;

use auth_proxy_redis::{Options, RedisStore, StoreError};
use auth_proxy_tests::redis::Server;
use auth_proxy_tests::{LogCapture, settles};
use tokio::time::{Instant, sleep};

use crate::support::{GRACE, HOUR, Seen, Store};

const KEY: [u8; 32] = [1; 32];

#[tokio::test]
async fn without_a_server_calls_fail_at_once() {
    let logs = LogCapture::start();
    let redis = Server::stopped(&[]);
    let store = Store::new(Options::new(redis.url()));
    store.store.start();
    sleep(Duration::from_millis(300)).await;
    let began = Instant::now();
    for _ in 0..1000 {
        assert_eq!(store.store.get(&KEY).await.unwrap_err(), StoreError::Down);
    }
    let each = began.elapsed() / 1000;
    println!("get without a server: {each:?}");
    assert!(each < Duration::from_micros(200), "{each:?}");
    assert!(store.events.lock().unwrap().is_empty());
    assert_eq!(logs.times("the link to Redis is down: connection refused"), 1, "{}", logs.text());
}

#[tokio::test]
async fn a_broken_link_gives_exactly_one_lost_and_is_logged_once() {
    let logs = LogCapture::start();
    let mut redis = Server::start();
    let store = Store::up(&redis.url()).await;
    redis.kill();
    store.goes_down(1).await;
    sleep(Duration::from_millis(1500)).await;
    assert_eq!(store.store.get(&KEY).await.unwrap_err(), StoreError::Down);
    redis.restart();
    store.comes_up(2).await;
    assert_eq!(store.times(&Seen::Lost), 1);
    assert_eq!(logs.times("the link to Redis is down"), 1, "{}", logs.text());
    assert_eq!(logs.times("the link to Redis is up again"), 1, "{}", logs.text());
}

#[tokio::test]
async fn trust_lapses_while_the_server_is_paused() {
    let redis = Server::start();
    let store = Store::up(&redis.url()).await;
    store.remember(&KEY, b"session").await;
    redis.pause();
    let began = Instant::now();
    while store.store.get(&KEY).await.unwrap_err() != StoreError::Down {}
    assert!(began.elapsed() < Duration::from_millis(1300), "{:?}", began.elapsed());
    store.goes_down(1).await;
    let until = store.events.lock().unwrap().iter().rev().find_map(|seen| match seen {
        Seen::Alive(until) => Some(*until),
        _ => None,
    });
    assert!(until.unwrap() <= began + Duration::from_secs(1));
    redis.resume();
    store.comes_up(2).await;
    assert_eq!(store.value(&KEY).await, None, "a value from before the link");
}

#[tokio::test]
async fn a_flush_is_found() {
    let redis = Server::start();
    let store = Store::up(&redis.url()).await;
    let ticket = store.ticket(&KEY).await;
    redis.run("FLUSHALL");
    assert!(!store.put(&ticket, b"late").await);
    store.comes_up(2).await;
    assert_eq!(store.times(&Seen::Lost), 1);
    store.remember(&KEY, b"session").await;
    // Scripts that the server forgot are sent again.
    redis.run("SCRIPT FLUSH");
    assert_eq!(store.value(&KEY).await.unwrap(), b"session");
    sleep(Duration::from_millis(1200)).await;
    assert_eq!(store.times(&Seen::Lost), 1);
}

#[tokio::test]
async fn values_from_before_a_restart_are_not_trusted() {
    let mut redis = Server::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let store = Store::up(&redis.url()).await;
    store.remember(&KEY, b"session").await;
    redis.kill();
    store.goes_down(1).await;
    redis.restart();
    store.comes_up(2).await;
    assert_eq!(redis.ask(&format!("EXISTS {}", crate::support::name(&KEY))), ":1\r\n");
    assert_eq!(store.value(&KEY).await, None);
    store.remember(&KEY, b"new").await;
    assert_eq!(store.value(&KEY).await.unwrap(), b"new");
}

#[tokio::test]
async fn a_server_that_becomes_a_replica_is_left() {
    let redis = Server::start();
    let store = Store::up(&redis.url()).await;
    redis.run("REPLICAOF 127.0.0.1 1");
    store.goes_down(1).await;
    assert_eq!(store.store.get(&KEY).await.unwrap_err(), StoreError::Down);
    redis.run("REPLICAOF NO ONE");
    store.comes_up(2).await;
}

#[tokio::test]
async fn the_password_is_never_shown() {
    let logs = LogCapture::start();
    let redis = Server::with(&["--requirepass", "s3cret-word"]);
    let wrong = format!("redis://:wr0ng-word@127.0.0.1:{}", redis.port);
    let options = Options::new(wrong);
    let mut shown = format!("{options:?}");
    let store = Store::new(options);
    store.store.start();
    assert!(settles(|| logs.times("the link to Redis is down") == 1).await);
    let right = Store::up(&format!("redis://:s3cret-word@127.0.0.1:{}", redis.port)).await;
    right.remember(&KEY, b"s3cret-value").await;
    let read = right.get(&KEY).await;
    shown +=
        &format!("{:?} {:?} {read:?} {:?}", store.store, right.store, right.store.end(&[KEY], HOUR).await);
    for url in [
        "redis://s3cret-word",
        "redis://:s3cret/word@host",
        "redis://u:s3cret?word@host",
        "s3cret-word",
        "redis://u:s3cret-word@host:port",
        "redis://u:s3cret-word@",
        "redis+sentinel://u:s3cret-word@host",
        "redis+cluster://u:s3cret-word@host/1",
        "redis://u:s3cret-word@a,b",
        "redis://u:s3cret%FFword@host",
        "redis://u:s3cret-word@host/x",
        "unix://s3cret-word",
        "http://u:s3cret-word@host",
    ] {
        if let Err(error) = RedisStore::new(Options::new(url), |_| ()) {
            println!("{url}: {error}");
            shown += &format!("{error} {error:?}");
        } else {
            assert_eq!(url, "redis://s3cret-word", "no error");
        }
    }
    // The events of redis-rs itself are not those of this crate.
    shown += &logs.text();
    for secret in ["s3cret", "wr0ng"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert_eq!(store.times(&Seen::Up), 0);
    assert!(
        logs.text().contains("is down: authentication failed") || logs.text().contains("WRONGPASS"),
        "{}",
        logs.text()
    );
}

#[tokio::test]
async fn a_server_without_the_login_is_down() {
    let logs = LogCapture::start();
    let redis = Server::with(&["--requirepass", "s3cret-word"]);
    let store = Store::new(Options::new(redis.url()));
    store.store.start();
    assert!(settles(|| logs.times("the link to Redis is down") == 1).await);
    assert_eq!(store.store.get(&KEY).await.unwrap_err(), StoreError::Down);
}

#[test]
fn a_store_starts_again_in_a_new_runtime() {
    let redis = Server::start();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = Store::new(Options::new(redis.url()));
    runtime().block_on(store.comes_up(1));
    assert_eq!(store.times(&Seen::Lost), 1);
    runtime().block_on(async {
        store.comes_up(2).await;
        store.remember(&KEY, b"session").await;
    });
}

#[tokio::test]
async fn a_dropped_store_leaves_no_task_and_no_connection() {
    let redis = Server::start();
    let tasks = auth_proxy_tests::alive_tasks();
    let store = Store::up(&redis.url()).await;
    drop(store);
    assert!(settles(|| auth_proxy_tests::alive_tasks() == tasks).await);
    assert!(settles(|| redis.info("connected_clients") == 1).await);
}

/// After an outage, another instance may come back later, and only then tell what was ended there.
#[tokio::test]
async fn nothing_is_read_from_a_new_link_before_the_others_can_have_told_what_ended() {
    let mut redis = Server::start();
    let (first, second) = (Store::up(&redis.url()).await, Store::with_grace(&redis.url()).await);
    assert_eq!(second.store.get(&KEY).await.unwrap_err(), StoreError::Down, "in the grace period");
    sleep(GRACE).await;
    assert!(settles(|| second.times_alive() > 0).await);
    second.remember(&KEY, b"session").await;
    redis.kill();
    second.goes_down(1).await;
    redis.restart();
    second.comes_up(2).await;
    let alive = second.times_alive();
    assert_eq!(second.store.get(&KEY).await.unwrap_err(), StoreError::Down, "in the grace period");
    // A sign-out is told all the same.
    assert!(settles(|| first.times(&Seen::Up) == 2).await);
    first.end(&[2; 32]).await;
    assert!(second.saw_end_of(&[2; 32]) && second.times_alive() == alive);
    assert!(settles(|| second.times_alive() > alive).await);
    assert_eq!(second.value(&KEY).await, None);
}

/// Each link reads the whole list of notes, so a server that is up and refuses sign-outs must not make an instance connect
/// again and again. Without a pause that grows, there were more than 60 links.
#[tokio::test]
async fn server_that_refuses_sign_outs_is_not_flooded_with_links() {
    let redis = Server::start();
    let store = Store::up(&redis.url()).await;
    let connections = || {
        let stats = redis.ask("INFO stats");
        let count = stats.lines().find_map(|line| line.strip_prefix("total_connections_received:"));
        count.unwrap().trim().parse::<u32>().unwrap()
    };
    let before = connections();
    // Not the keys of sessions.
    redis.run("ACL SETUSER default resetkeys ~auth-proxy:links ~{auth-proxy:links}*");
    let refused = (0..20_u8).map(|n| {
        let store = store.store.clone();
        tokio::spawn(async move { store.end(&[[n; 32]], Duration::ZERO).await })
    });
    for refused in refused.collect::<Vec<_>>() {
        refused.await.unwrap().unwrap_err();
    }
    let links = connections() - before;
    assert!((1..=20).contains(&links), "{links} connections");
    redis.run("ACL SETUSER default allkeys");
    store.comes_up(2).await;
}
