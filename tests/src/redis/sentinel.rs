//! A primary with a replica, and a sentinel that watches them.

use std::time::{Duration, Instant};

use super::server::Server;

/// A primary, its replica, and a sentinel with the service `main`.
#[derive(Debug)]
pub struct Sentinel {
    /// The server that is the primary at first.
    pub primary: Server,
    /// The server that is the replica at first.
    pub replica: Server,
    /// The sentinel.
    pub sentinel: Server,
}

impl Sentinel {
    /// Starts all three, and waits until the sentinel knows the replica.
    #[must_use]
    pub fn start() -> Self {
        let primary = Server::start();
        let port = primary.port.to_string();
        let replica = Server::with(&["--replicaof", "127.0.0.1", &port]);
        let sentinel = watch(primary.port);
        let started = Self { primary, replica, sentinel };
        started.wait("the replica", || {
            started.replica.ask("INFO replication").contains("master_link_status:up")
                && started.sentinel.ask("SENTINEL REPLICAS main").contains(&started.replica.port.to_string())
        });
        started
    }

    /// The URL with the sentinel.
    #[must_use]
    pub fn url(&self) -> String {
        Self::url_of(&[&self.sentinel])
    }

    /// The URL with these sentinels.
    #[must_use]
    pub fn url_of(sentinels: &[&Server]) -> String {
        let hosts: Vec<_> = sentinels.iter().map(|one| format!("127.0.0.1:{}", one.port)).collect();
        format!("redis+sentinel://{}/main", hosts.join(","))
    }

    /// Starts one more sentinel, and waits until it knows the replica.
    #[must_use]
    pub fn another_sentinel(&self) -> Server {
        let sentinel = watch(self.primary.port);
        let replica = self.replica.port.to_string();
        self.wait("the replica", || sentinel.ask("SENTINEL REPLICAS main").contains(&replica));
        sentinel
    }

    /// Waits until the replica is the primary.
    pub fn wait_for_failover(&self) {
        self.wait("the failover", || self.replica.ask("ROLE").contains("master"));
    }

    fn wait(&self, what: &str, holds: impl Fn() -> bool) {
        let until = Instant::now() + Duration::from_secs(30);
        while !holds() {
            assert!(Instant::now() < until, "{what} did not come: {}", self.sentinel.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A sentinel that watches a primary. Alone, it may fail over.
fn watch(primary: u16) -> Server {
    let mut sentinel = Server::stopped(&["sentinel.conf", "--sentinel"]);
    let config = format!(
        "port {}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 {primary} 1\n\
         sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 3000\n",
        sentinel.port
    );
    std::fs::write(sentinel.folder().join("sentinel.conf"), config).unwrap();
    sentinel.restart();
    sentinel
}
