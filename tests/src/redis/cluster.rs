//! A Redis Cluster of three primaries.

use std::time::{Duration, Instant};

use super::server::Server;

/// Three primaries without replicas.
#[derive(Debug)]
pub struct Cluster {
    /// The nodes.
    pub nodes: Vec<Server>,
}

impl Cluster {
    /// Starts the nodes, and waits until the cluster serves all slots.
    #[must_use]
    pub fn start() -> Self {
        let args = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000"];
        let nodes: Vec<_> = (0..3).map(|_| Server::with(&args)).collect();
        for (node, slots) in nodes.iter().zip(["0 5460", "5461 10922", "10923 16383"]) {
            node.run(&format!("CLUSTER ADDSLOTSRANGE {slots}"));
        }
        for (epoch, node) in nodes.iter().enumerate() {
            node.run(&format!("CLUSTER SET-CONFIG-EPOCH {}", epoch + 1));
            node.run(&format!("CLUSTER MEET 127.0.0.1 {}", nodes[0].port));
        }
        let until = Instant::now() + Duration::from_secs(30);
        while !nodes.iter().all(|node| {
            let info = node.ask("CLUSTER INFO");
            info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
        }) {
            assert!(Instant::now() < until, "the cluster does not start: {}", nodes[0].log());
            std::thread::sleep(Duration::from_millis(50));
        }
        Self { nodes }
    }

    /// The URL with two of the nodes.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis+cluster://127.0.0.1:{},127.0.0.1:{}", self.nodes[0].port, self.nodes[1].port)
    }
}
