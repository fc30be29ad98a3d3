//! Clients of the same Redis that are no instances.

use std::net::TcpStream;
use std::time::Duration;

use auth_proxy_tests::redis::Server;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, sleep};

use crate::support::Store;

const KEY: [u8; 32] = [1; 32];

/// A client that sends commands in plain text and reads nothing.
fn client(redis: &Server, commands: &[&str]) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", redis.port)).unwrap();
    for command in commands {
        std::io::Write::write_all(&mut stream, format!("{command}\r\n").as_bytes()).unwrap();
    }
    stream
}

/// A monitoring tool subscribes to all channels. It receives messages, but never acknowledges one.
#[tokio::test]
async fn client_that_listens_to_all_channels_does_not_delay_sign_outs() {
    let redis = Server::start();
    let (one, two) = (Store::up(&redis.url()).await, Store::up(&redis.url()).await);
    sleep(Duration::from_millis(1200)).await;
    let _tools = [client(&redis, &["PSUBSCRIBE *"]), client(&redis, &["MONITOR"])];
    sleep(Duration::from_millis(100)).await;
    one.remember(&KEY, b"session").await;
    let began = Instant::now();
    one.end(&KEY).await;
    let took = began.elapsed();
    assert!(two.saw_end_of(&KEY));
    assert!(took < Duration::from_millis(300), "{took:?}");
}

/// The scripts are forgotten at any time.
#[tokio::test]
async fn forgotten_scripts_disturb_nothing() {
    let redis = Server::start();
    let (one, two) = (Store::up(&redis.url()).await, Store::up(&redis.url()).await);
    // The first instance must know of the second: it does after a beat.
    sleep(Duration::from_millis(400)).await;
    for number in 0..20 {
        redis.run("SCRIPT FLUSH");
        one.remember(&[number; 32], b"session").await;
        redis.run("SCRIPT FLUSH");
        assert_eq!(two.value(&[number; 32]).await.as_deref(), Some(&b"session"[..]));
        redis.run("SCRIPT FLUSH");
        two.end(&[number; 32]).await;
        assert!(one.saw_end_of(&[number; 32]));
    }
    assert_eq!([one.times(&crate::support::Seen::Lost), two.times(&crate::support::Seen::Lost)], [0, 0]);
}

/// Messages of another program, or of a later version, on the common channel, and pushes that are no messages.
#[tokio::test]
async fn strange_messages_make_an_instance_forget_and_come_back() {
    let redis = Server::start();
    let store = Store::up(&redis.url()).await;
    store.remember(&KEY, b"session").await;
    for (number, message) in ["x".repeat(30_000), "\\x01E".to_owned(), String::new()].iter().enumerate() {
        redis.run(&format!("PUBLISH auth-proxy:ended \"{message}\""));
        store.goes_down(number + 1).await;
        store.comes_up(number + 2).await;
        assert_eq!(store.value(&KEY).await, None, "from before the link");
    }
}

/// Wrong types and garbage under the names of this crate.
#[tokio::test]
async fn garbage_under_every_key_lets_nobody_in_and_panics_nowhere() {
    let redis = Server::start();
    let store = Store::up(&redis.url()).await;
    let name = crate::support::name(&KEY);
    for command in [
        format!("LPUSH {name} a"),
        format!("HSET {name} a b"),
        format!("SET {name} \"\""),
        format!("SET {name} \"\\x01\\x01{}\"", "a".repeat(33)),
        format!("SET {name} \"\\x01\\x01{}\\xff\" PX 100000", "a".repeat(32)),
        format!("SET {name} \"\\x01\\x02{}\\x00\"", "a".repeat(32)),
        format!("SETRANGE {name} 5000000 \"\\x01\\x01\""),
    ] {
        redis.run(&format!("DEL {name}"));
        redis.run(&command);
        let read = store.get(&KEY).await;
        assert_eq!(read.value, None, "{command:.60}");
        assert!(store.put(&read.ticket.expect("a ticket"), b"session").await, "{command:.60}");
        redis.run(&format!("DEL {name}"));
        redis.run(&command);
        store.end(&KEY).await;
        assert_eq!(redis.ask(&format!("EXISTS {name}")), ":0\r\n");
    }
}

/// Anyone can send sign-outs with made-up tokens. The instances are some milliseconds away from Redis.
#[tokio::test]
async fn flood_of_sign_outs_does_not_delay_others() {
    let redis = Server::start();
    let far = far_from(&redis, Duration::from_millis(2)).await;
    let (one, two) = (Store::up(&redis.url()).await, Store::up(&far).await);
    sleep(Duration::from_millis(1200)).await;
    for number in 0..1000_u16 {
        let mut key = [9; 32];
        key[..2].copy_from_slice(&number.to_be_bytes());
        let store = one.store.clone();
        tokio::spawn(async move { store.end(&[key], Duration::ZERO).await });
    }
    sleep(Duration::from_millis(200)).await;
    let began = Instant::now();
    one.end(&KEY).await;
    let took = began.elapsed();
    assert!(two.saw_end_of(&KEY));
    assert!(took < Duration::from_millis(500), "{took:?}");
}

/// The URL of a forwarder that delays each way.
async fn far_from(redis: &Server, delay: Duration) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let port = redis.port;
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let far = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            near.set_nodelay(true).unwrap();
            far.set_nodelay(true).unwrap();
            let ((from, to), (back, forth)) = (near.into_split(), far.into_split());
            tokio::spawn(delayed(from, forth, delay));
            tokio::spawn(delayed(back, to, delay));
        }
    });
    url
}

async fn delayed(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    delay: Duration,
) {
    let (sender, mut sent) = tokio::sync::mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    tokio::spawn(async move {
        while let Some((at, bytes)) = sent.recv().await {
            tokio::time::sleep_until(at + delay).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
    });
    let mut buffer = vec![0; 65_536];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        sender.send((Instant::now(), buffer[..length].to_vec())).ok();
    }
}
