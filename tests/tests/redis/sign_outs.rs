//! Sign-outs and the other instances.

use std::time::Duration;

use auth_proxy_redis::{Options, StoreError};
use auth_proxy_tests::redis::Server;
use tokio::time::{Instant, sleep};

use crate::support::{HOUR, Seen, Store};

const KEY: [u8; 32] = [1; 32];

/// How long a link is trusted after a beat.
const TRUST: Duration = Duration::from_secs(1);

#[tokio::test]
async fn an_end_returns_after_the_other_instances_have_forgotten() {
    let redis = Server::start();
    let (one, two, three) =
        (Store::up(&redis.url()).await, Store::up(&redis.url()).await, Store::up(&redis.url()).await);
    // An end over a young link waits until no instance can trust what was before it.
    sleep(Duration::from_millis(1200)).await;
    let mut times = Vec::new();
    for number in 0..50 {
        let key = [number; 32];
        one.remember(&key, b"session").await;
        let began = Instant::now();
        one.end(&key).await;
        times.push(began.elapsed());
        assert!(one.saw_end_of(&key) && two.saw_end_of(&key) && three.saw_end_of(&key));
        assert_eq!(two.value(&key).await, None);
    }
    times.sort();
    println!("end with three instances: median {:?}, slowest {:?}", times[25], times[49]);
    assert!(times[25] < Duration::from_millis(200), "{times:?}");
}

/// The user `one` of the ACL of Redis is one instance, so that it alone can be cut off.
#[tokio::test]
async fn end_at_an_instance_that_lost_its_link_alone_waits_for_the_link() {
    let redis = Server::start();
    redis.run("ACL SETUSER one on >secret ~* &* +@all");
    let url = format!("redis://one:secret@127.0.0.1:{}", redis.port);
    let (one, two) = (Store::up(&url).await, Store::up(&redis.url()).await);
    sleep(Duration::from_millis(1200)).await;
    two.remember(&KEY, b"session").await;
    redis.run("ACL SETUSER one off");
    redis.run("CLIENT KILL USER one");
    one.goes_down(1).await;
    // The time in which it trusted its link is over.
    sleep(TRUST).await;
    let back = async {
        sleep(Duration::from_millis(300)).await;
        assert!(!two.saw_end_of(&KEY));
        redis.run("ACL SETUSER one on");
    };
    let (ended, ()) = tokio::join!(one.store.end(&[KEY], Duration::ZERO), back);
    assert_eq!(ended, Ok(()));
    assert!(two.saw_end_of(&KEY), "the end returned before the other instance knew of it");
    assert_eq!(two.value(&KEY).await, None);
}

#[tokio::test]
async fn end_before_the_first_link_waits_for_it() {
    let redis = Server::start();
    let two = Store::up(&redis.url()).await;
    two.remember(&KEY, b"session").await;
    let one = Store::new(Options::new(redis.url()));
    one.end(&KEY).await;
    assert!(two.saw_end_of(&KEY));
}

#[tokio::test]
async fn linked_keys_end_together() {
    let redis = Server::start();
    let (one, two) = (Store::up(&redis.url()).await, Store::up(&redis.url()).await);
    let (old, new, last) = ([1; 32], [2; 32], [3; 32]);
    for (key, linked) in [(old, new), (new, last)] {
        let ticket = one.ticket(&key).await;
        assert!(one.store.put(&ticket, b"session", &[linked], HOUR).await.unwrap());
    }
    let ticket = one.ticket(&last).await;
    // A cycle.
    assert!(one.store.put(&ticket, b"session", &[old], HOUR).await.unwrap());
    two.end(&old).await;
    for key in [old, new, last] {
        assert!(one.saw_end_of(&key) && two.saw_end_of(&key));
        assert_eq!(one.value(&key).await, None);
    }
}

#[tokio::test]
async fn a_block_refuses_tickets_for_its_time() {
    let redis = Server::start();
    let store = Store::up(&redis.url()).await;
    let ticket = store.ticket(&KEY).await;
    store.store.end(&[KEY], Duration::from_millis(2500)).await.unwrap();
    assert!(!store.put(&ticket, b"late").await);
    let read = store.get(&KEY).await;
    assert!(read.value.is_none() && read.ticket.is_none(), "{read:?}");
    // An end without a block does not shorten it.
    store.end(&KEY).await;
    assert!(store.get(&KEY).await.ticket.is_none());
    sleep(Duration::from_millis(2600)).await;
    store.remember(&KEY, b"session").await;
}

#[tokio::test]
async fn an_end_waits_for_an_instance_whose_connection_is_gone_on_the_server_only() {
    let redis = Server::start();
    let one = Store::up(&redis.url()).await;
    sleep(Duration::from_millis(1200)).await;
    // An instance that sent a beat just now, and that receives nothing.
    redis.run("EVAL \"local t = redis.call('TIME') return redis.call('ZADD', KEYS[1], t[1] * 1000 + t[2] / 1000, '0123456789abcdef')\" 1 {auth-proxy:links}:alive");
    let began = Instant::now();
    one.end(&KEY).await;
    let time = began.elapsed();
    assert!((Duration::from_millis(990)..Duration::from_millis(1500)).contains(&time), "{time:?}");
    sleep(Duration::from_millis(200)).await;
    let began = Instant::now();
    one.end(&KEY).await;
    assert!(began.elapsed() < Duration::from_millis(900), "its beat is old now");
}

#[tokio::test]
async fn sign_outs_are_replayed_after_a_pause() {
    let redis = Server::start();
    let (one, two) = (Store::up(&redis.url()).await, Store::up(&redis.url()).await);
    sleep(Duration::from_millis(1200)).await;
    one.remember(&KEY, b"session").await;
    assert!(two.value(&KEY).await.is_some());
    redis.pause();
    let began = Instant::now();
    let ended = one.store.end(&[KEY], Duration::ZERO).await;
    let time = began.elapsed();
    assert!(matches!(ended, Err(StoreError::Down | StoreError::Timeout)), "{ended:?}");
    println!("end while Redis is paused: {time:?}");
    assert!(time < Duration::from_millis(3400), "{time:?}");
    // No instance trusts any more.
    assert!(one.store.get(&KEY).await.is_err());
    assert!(two.store.get(&KEY).await.is_err());
    redis.resume();
    one.comes_up(2).await;
    two.comes_up(2).await;
    assert_eq!(redis.ask(&format!("EXISTS {}", crate::support::name(&KEY))), ":0\r\n");
    assert_eq!(two.value(&KEY).await, None);
    assert_eq!((one.times(&Seen::Lost), two.times(&Seen::Lost)), (1, 1));
}

#[tokio::test]
async fn sign_outs_before_the_first_link_are_replayed() {
    let mut redis = Server::stopped(&[]);
    let one = Store::new(Options::new(redis.url()));
    assert_eq!(one.store.end(&[KEY], HOUR).await, Err(StoreError::Down));
    redis.restart();
    one.comes_up(1).await;
    assert!(one.get(&KEY).await.ticket.is_none(), "blocked");
}

#[tokio::test]
async fn too_many_noted_sign_outs_make_all_instances_forget() {
    let redis = Server::start();
    let two = Store::up(&redis.url()).await;
    two.remember(&KEY, b"session").await;
    let proxy = Server::stopped(&[]);
    let one = Store::new(Options::new(proxy.url()));
    for batch in 0..5_u32 {
        let keys: Vec<_> = (0..1000_u32)
            .map(|number| {
                let mut key = [9; 32];
                key[..4].copy_from_slice(&(batch * 1000 + number).to_be_bytes());
                key
            })
            .collect();
        assert!(one.store.end(&keys, Duration::ZERO).await.is_err());
    }
    // The server that the store waits for appears: a forwarder to the other one.
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", proxy.port)).await.unwrap();
    let port = redis.port;
    tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            tokio::spawn(async move {
                from.set_nodelay(true).unwrap();
                let mut to = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                to.set_nodelay(true).unwrap();
                tokio::io::copy_bidirectional(&mut from, &mut to).await.ok();
            });
        }
    });
    one.comes_up(1).await;
    two.comes_up(2).await;
    assert_eq!(two.times(&Seen::Lost), 1);
    assert_eq!(two.value(&KEY).await, None);
    assert_eq!(one.value(&KEY).await, None);
}

#[tokio::test]
async fn an_unknown_message_makes_an_instance_forget() {
    let redis = Server::start();
    let store = Store::up(&redis.url()).await;
    store.remember(&KEY, b"session").await;
    redis.run("PUBLISH auth-proxy:ended \"\\x02future\"");
    store.comes_up(2).await;
    assert_eq!(store.times(&Seen::Lost), 1);
    assert_eq!(store.value(&KEY).await, None);
}
