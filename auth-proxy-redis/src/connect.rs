//! Connects to the server that accepts writes.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::{MultiplexedConnection, SendError};
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::ClusterConnection;
use redis::{AsyncConnectionConfig, ProtocolVersion, RedisResult, Value, cmd};
use tokio::time::Instant;

use crate::error::failure;
use crate::link::{Link, TRUST};
use crate::sentinels::{Address, Sentinels, asking};
use crate::url::{Kind, Target};

/// How long a connection attempt may take, with TLS and login.
const CONNECT: Duration = Duration::from_secs(2);

/// The connections of a link.
pub(crate) struct Connected {
    /// For the subscription.
    pub(crate) main: MultiplexedConnection,
    /// In a cluster: for the sessions.
    pub(crate) cluster: Option<ClusterConnection>,
    /// The primary that the sentinels named.
    pub(crate) primary: Option<Address>,
}

impl Connected {
    fn to(main: MultiplexedConnection) -> Self {
        Self { main, cluster: None, primary: None }
    }
}

/// Connects to the server that accepts writes.
pub(crate) async fn connect(
    target: &Target,
    sentinels: &Sentinels,
    link: &Arc<Link>,
    links_key: &str,
) -> RedisResult<Connected> {
    match &target.kind {
        Kind::Unix { .. } => Ok(Connected::to(open(target, "", 0, link).await?)),
        Kind::Single => {
            let (host, port) = first(&target.hosts)?;
            Ok(Connected::to(open(target, host, port, link).await?))
        }
        Kind::Sentinel { .. } => {
            let named = sentinels.primary().await?;
            let mut main = open(target, &named.0, named.1, link).await?;
            // Right after a failover, a sentinel may still name the old primary.
            let role: Vec<Value> = cmd("ROLE").query_async(&mut main).await?;
            if role.first() != Some(&Value::BulkString(b"master".to_vec())) {
                return Err(failure("the server is not the primary"));
            }
            // A server that was paused answers late, and still takes itself for the primary although another was chosen.
            let asked = Instant::now();
            if sentinels.primary().await? != named {
                return Err(failure("the sentinels chose another primary"));
            }
            link.is_confirmed(asked);
            Ok(Connected { primary: Some(named), ..Connected::to(main) })
        }
        Kind::Cluster => {
            let (host, port) = node_of(target, links_key).await?;
            let main = open(target, &host, port, link).await?;
            Ok(Connected { cluster: Some(cluster(target).await?), ..Connected::to(main) })
        }
    }
}

async fn open(
    target: &Target,
    host: &str,
    port: u16,
    link: &Arc<Link>,
) -> RedisResult<MultiplexedConnection> {
    let link = Arc::clone(link);
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT))
        .set_response_timeout(Some(TRUST))
        .set_push_sender(move |push| {
            link.receive(push);
            Ok::<_, SendError>(())
        });
    target.client(host, port)?.get_multiplexed_async_connection_with_config(&config).await
}

/// The node of a cluster that has this key. Messages go over this node, so that it counts their receivers.
async fn node_of(target: &Target, key: &str) -> RedisResult<(String, u16)> {
    let mut last = failure("no node of the cluster answers");
    for (host, port) in &target.hosts {
        match ask_node(target, host, *port, key).await {
            Ok(node) => return Ok(node),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn ask_node(target: &Target, host: &str, port: u16, key: &str) -> RedisResult<(String, u16)> {
    let mut node = target.client(host, port)?.get_multiplexed_async_connection_with_config(&asking()).await?;
    let slot: i64 = cmd("CLUSTER").arg("KEYSLOT").arg(key).query_async(&mut node).await?;
    let slots: Vec<Vec<Value>> = cmd("CLUSTER").arg("SLOTS").query_async(&mut node).await?;
    for range in slots {
        if let [Value::Int(from), Value::Int(to), Value::Array(primary), ..] = range.as_slice()
            && (*from..=*to).contains(&slot)
            && let [name, Value::Int(at), ..] = primary.as_slice()
        {
            let name: Option<String> = redis::from_redis_value(name.clone())?;
            // A node that knows no name for itself is the one that was asked.
            let name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| host.to_owned());
            return Ok((name, u16::try_from(*at).unwrap_or(port)));
        }
    }
    Err(failure("no node has the slot"))
}

async fn cluster(target: &Target) -> RedisResult<ClusterConnection> {
    let seeds: Vec<_> = target.hosts.iter().map(|(host, port)| target.address(host, *port)).collect();
    let mut builder = ClusterClientBuilder::new(seeds)
        .use_protocol(ProtocolVersion::RESP3)
        .connection_timeout(CONNECT)
        .response_timeout(TRUST)
        // A failed command ends the link, which finds the nodes anew.
        .retries(1);
    if let Some(user) = &target.user {
        builder = builder.username(user);
    }
    if let Some(password) = &target.password {
        builder = builder.password(password);
    }
    if target.tls {
        builder = builder.certs(target.certificates());
    }
    builder.build()?.get_async_connection().await
}

fn first(hosts: &[(String, u16)]) -> RedisResult<(&str, u16)> {
    hosts.first().map(|(host, port)| (host.as_str(), *port)).ok_or_else(|| failure("no host"))
}
