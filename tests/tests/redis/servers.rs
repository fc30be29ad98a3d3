//! TLS, sockets, sentinels and clusters.

use std::time::Duration;

use auth_proxy_redis::Options;
use auth_proxy_tests::redis::{Cluster, Sentinel, Server};
use auth_proxy_tests::settles;
use tokio::time::sleep;

use crate::support::{HOUR, Seen, Store};

const KEY: [u8; 32] = [1; 32];

async fn shares(one: &Store, two: &Store) {
    sleep(Duration::from_millis(1200)).await;
    for number in 0..20 {
        let key = [number; 32];
        one.remember(&key, b"session").await;
        assert_eq!(two.value(&key).await.unwrap(), b"session");
        let ticket = one.ticket(&key).await;
        two.end(&key).await;
        assert!(one.saw_end_of(&key) && two.saw_end_of(&key));
        assert!(!one.put(&ticket, b"late").await);
        assert_eq!(one.value(&key).await, None);
    }
}

#[tokio::test]
async fn over_a_unix_socket() {
    let redis = Server::with(&["--unixsocket", "redis.sock"]);
    let url = format!("unix://{}/redis.sock", redis.folder().display());
    shares(&Store::up(&url).await, &Store::up(&url).await).await;
}

#[tokio::test]
async fn over_tls() {
    let tls = Server::stopped(&[]);
    let folder = tls.folder().to_owned();
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    let issued = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(&certificate, issued.cert.pem()).unwrap();
    std::fs::write(&key, issued.signing_key.serialize_pem()).unwrap();
    let port = tls.port.to_string();
    let _redis = Server::with(&[
        "--tls-port",
        &port,
        "--tls-auth-clients",
        "no",
        "--tls-cert-file",
        certificate.to_str().unwrap(),
        "--tls-key-file",
        key.to_str().unwrap(),
        "--tls-ca-cert-file",
        certificate.to_str().unwrap(),
    ]);
    let url = format!("rediss://localhost:{port}");
    let options = || Options::new(&url).root_certificates(issued.cert.pem());
    shares(&Store::up_with(options()).await, &Store::up_with(options()).await).await;
    // Another certificate, and another name.
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let wrong = [
        Store::new(Options::new(&url).root_certificates(other.cert.pem())),
        Store::new(Options::new(url.replace("localhost", "127.0.0.1")).root_certificates(issued.cert.pem())),
    ];
    for store in &wrong {
        store.store.start();
    }
    sleep(Duration::from_secs(1)).await;
    assert!(wrong.iter().all(|store| store.times(&Seen::Up) == 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn sentinels_name_the_new_primary() {
    let mut servers = Sentinel::start();
    let (one, two) = (Store::up(&servers.url()).await, Store::up(&servers.url()).await);
    shares(&one, &two).await;
    one.remember(&KEY, b"session").await;
    // The replica does not hear of the last sign-out.
    servers.replica.pause();
    two.end(&KEY).await;
    servers.primary.kill();
    servers.replica.resume();
    tokio::task::block_in_place(|| servers.wait_for_failover());
    one.comes_up(2).await;
    two.comes_up(2).await;
    assert_eq!(one.value(&KEY).await, None);
    assert_eq!(two.value(&KEY).await, None);
    shares(&one, &two).await;
    assert_eq!((one.times(&Seen::Lost), two.times(&Seen::Lost)), (1, 1));
}

/// The old primary goes on for about ten seconds after `SENTINEL FAILOVER`, until the sentinel makes it a replica.
#[tokio::test(flavor = "multi_thread")]
async fn instance_that_hears_of_no_failover_lets_nobody_in_after_a_sign_out() {
    let servers = Sentinel::start();
    let late = servers.another_sentinel();
    let (one, two) = (Store::up(&servers.url()).await, Store::up(&Sentinel::url_of(&[&late])).await);
    shares(&one, &two).await;
    one.remember(&[99; 32], b"session").await;
    assert_eq!(two.value(&[99; 32]).await.unwrap(), b"session");
    late.pause();
    servers.sentinel.run("SENTINEL FAILOVER main");
    tokio::task::block_in_place(|| servers.wait_for_failover());
    one.comes_up(2).await;
    one.end(&[99; 32]).await;
    assert!(two.store.get(&[99; 32]).await.is_err(), "the session is read from the old primary");
    assert_eq!(two.times(&Seen::Lost), 1, "the sessions in its memory are used");
}

#[tokio::test(flavor = "multi_thread")]
async fn most_of_the_sentinels_must_name_the_primary() {
    let servers = Sentinel::start();
    let mut others = [servers.another_sentinel(), servers.another_sentinel()];
    let [second, third] = &others;
    let store = Store::up(&Sentinel::url_of(&[&servers.sentinel, second, third])).await;
    others[0].kill();
    let beats = store.times_alive();
    assert!(settles(|| store.times_alive() > beats + 8).await, "one of three is down");
    assert_eq!(store.times(&Seen::Lost), 0);
    others[1].pause();
    store.goes_down(1).await;
    others[1].resume();
    store.comes_up(2).await;
}

#[tokio::test]
async fn a_cluster_has_sessions_on_all_nodes() {
    let cluster = Cluster::start();
    let (one, two) = (Store::up(&cluster.url()).await, Store::up(&cluster.url()).await);
    shares(&one, &two).await;
    for number in 100..130 {
        one.remember(&[number; 32], b"session").await;
    }
    for node in &cluster.nodes {
        assert_ne!(node.ask("DBSIZE"), ":0\r\n");
    }
    let ticket = one.ticket(&[200; 32]).await;
    assert!(one.store.put(&ticket, b"session", &[[201; 32], [202; 32]], HOUR).await.unwrap());
    two.store.end(&[[200; 32]], HOUR).await.unwrap();
    for number in 200..203 {
        assert!(one.saw_end_of(&[number; 32]));
        assert!(one.get(&[number; 32]).await.ticket.is_none(), "blocked");
    }
    // One node pauses: no instance trusts, whichever node it is.
    for (times, node) in cluster.nodes.iter().enumerate() {
        node.pause();
        one.goes_down(times + 1).await;
        node.resume();
        one.comes_up(times + 2).await;
    }
}
