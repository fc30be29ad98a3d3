//! Values and tickets.

use std::time::Duration;

use auth_proxy_redis::{Options, StoreError};
use auth_proxy_tests::redis::Server;

use crate::support::{HOUR, Store, name};

#[tokio::test]
async fn a_value_is_shared_with_another_instance() {
    let redis = Server::start();
    let (one, two) = (Store::up(&redis.url()).await, Store::up(&redis.url()).await);
    // One instance does not trust values whose writer had not seen it. A beat is enough.
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(one.value(&[1; 32]).await, None);
    one.remember(&[1; 32], b"session").await;
    let read = two.get(&[1; 32]).await.value.unwrap();
    assert_eq!(read.bytes, b"session");
    assert!(read.age < Duration::from_secs(1), "{read:?}");
    assert_eq!(two.value(&[2; 32]).await, None);
}

#[tokio::test]
async fn the_clock_of_the_server_counts_the_age() {
    let redis = Server::start();
    let store = Store::up(&redis.url()).await;
    store.remember(&[1; 32], b"session").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let age = store.get(&[1; 32]).await.value.unwrap().age;
    assert!((Duration::from_millis(290)..Duration::from_millis(1500)).contains(&age), "{age:?}");
    let ticket = store.ticket(&[2; 32]).await;
    assert!(store.store.put(&ticket, b"short", &[], Duration::from_millis(50)).await.unwrap());
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(store.value(&[2; 32]).await, None);
}

#[tokio::test]
async fn a_put_without_its_ticket_is_refused() {
    let redis = Server::start();
    let (one, two) = (Store::up(&redis.url()).await, Store::up(&redis.url()).await);
    let key = [1; 32];
    // Ended by this instance, and by the other.
    for ender in [&one, &two] {
        let ticket = one.ticket(&key).await;
        ender.end(&key).await;
        assert!(!one.put(&ticket, b"late").await);
        assert_eq!(one.value(&key).await, None);
        // The read above wrote a new ticket, which is not that of the late put.
        assert!(!one.put(&ticket, b"late").await);
        assert_eq!(two.value(&key).await, None);
    }
    // The record was evicted.
    let ticket = one.ticket(&key).await;
    redis.run(&format!("DEL {}", name(&key)));
    assert!(!one.put(&ticket, b"late").await);
    // Foreign bytes in its place.
    for foreign in ["SET {} garbage", "LPUSH {} element"] {
        let ticket = one.ticket(&key).await;
        redis.run(&format!("DEL {}", name(&key)));
        redis.run(&foreign.replace("{}", &name(&key)));
        assert!(!one.put(&ticket, b"late").await, "{foreign}");
    }
}

#[tokio::test]
async fn a_ticket_of_a_link_that_is_gone_is_refused() {
    let redis = Server::start();
    let store = Store::up(&redis.url()).await;
    let ticket = store.ticket(&[1; 32]).await;
    redis.run("CLIENT KILL TYPE pubsub");
    store.comes_up(2).await;
    assert!(!store.put(&ticket, b"late").await);
    // A new ticket is good.
    store.remember(&[1; 32], b"session").await;
}

#[tokio::test]
async fn foreign_records_are_no_value_and_are_replaced() {
    let redis = Server::start();
    let store = Store::up(&redis.url()).await;
    let key = [1; 32];
    let long = "x".repeat(100);
    let version = format!("\"\\x02\\x01{long}\"");
    let kind = format!("\"\\x01\\x09{}\\x00value\"", "x".repeat(32));
    let linked = format!("\"\\x01\\x01{}\\x08value\"", "x".repeat(32));
    let eternal = format!("\"\\x01\\x01{}\\x00value\"", "x".repeat(32));
    for foreign in [
        "SET {} garbage PX 60000".to_owned(),
        "SET {} \"\" PX 60000".to_owned(),
        format!("SET {{}} {long} PX 60000"),
        format!("SET {{}} {version} PX 60000"),
        format!("SET {{}} {kind} PX 60000"),
        format!("SET {{}} {linked} PX 60000"),
        format!("SET {{}} {eternal}"),
        "LPUSH {} element".to_owned(),
        "HSET {} field 1".to_owned(),
    ] {
        redis.run(&format!("DEL {}", name(&key)));
        redis.run(&foreign.replace("{}", &name(&key)));
        assert_eq!(store.value(&key).await, None, "{foreign}");
        store.remember(&key, b"session").await;
        assert_eq!(store.value(&key).await.unwrap(), b"session", "{foreign}");
        redis.run(&format!("DEL {}", name(&key)));
        redis.run(&foreign.replace("{}", &name(&key)));
        store.end(&key).await;
        assert_eq!(redis.ask(&format!("EXISTS {}", name(&key))), ":0\r\n", "{foreign}");
    }
}

#[tokio::test]
async fn large_values_are_not_stored() {
    let redis = Server::start();
    let store = Store::up_with(Options::new(redis.url()).max_value(1000)).await;
    let ticket = store.ticket(&[1; 32]).await;
    assert!(store.put(&ticket, &[7; 1000]).await);
    let large = store.store.put(&ticket, &[7; 1001], &[], HOUR).await;
    assert_eq!(large, Err(StoreError::TooLarge));
    let linked = store.store.put(&ticket, b"session", &[[2; 32]; 9], HOUR).await;
    assert_eq!(linked, Err(StoreError::TooLarge));
}

#[tokio::test]
async fn a_full_memory_refuses_values_but_not_sign_outs() {
    let redis = Server::start();
    let (one, two) = (Store::up(&redis.url()).await, Store::up(&redis.url()).await);
    tokio::time::sleep(Duration::from_millis(400)).await;
    let (key, blocked) = ([1; 32], [2; 32]);
    one.remember(&key, b"session").await;
    let ticket = one.ticket(&[3; 32]).await;
    redis.run("CONFIG SET maxmemory 1");
    assert_eq!(two.value(&key).await.unwrap(), b"session");
    assert!(!one.put(&ticket, b"session").await);
    let read = one.get(&[4; 32]).await;
    assert!(read.value.is_none() && read.ticket.is_none(), "{read:?}");
    two.end(&key).await;
    assert!(one.saw_end_of(&key));
    assert_eq!(one.value(&key).await, None);
    one.store.end(&[blocked], HOUR).await.unwrap();
    redis.run("CONFIG SET maxmemory 0");
    assert!(one.get(&blocked).await.ticket.is_none());
    // The beats went on, and a new link comes up in full memory.
    redis.run("CONFIG SET maxmemory 1");
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(one.times(&crate::support::Seen::Lost), 0);
    let three = Store::up(&redis.url()).await;
    three.end(&[5; 32]).await;
}

/// The policy that the guide names.
#[tokio::test]
async fn memory_that_drops_what_expires_keeps_the_link_and_the_list() {
    let redis = Server::start();
    let store = Store::up(&redis.url()).await;
    let note = crate::support::note(1);
    store.note(&note).await;
    redis.run("CONFIG SET maxmemory-policy volatile-lru");
    redis.run(&format!("CONFIG SET maxmemory {}", redis.info("used_memory") + 1_000_000));
    for number in 0..1000_u16 {
        let mut key = [7; 32];
        key[..2].copy_from_slice(&number.to_be_bytes());
        store.remember(&key, &[0; 4000]).await;
    }
    let dropped = redis.info("evicted_keys");
    assert!(dropped > 500, "{dropped} of 4 MB are dropped");
    assert_eq!(store.times(&crate::support::Seen::Lost), 0);
    assert!(Store::up(&redis.url()).await.knows(&note));
}
