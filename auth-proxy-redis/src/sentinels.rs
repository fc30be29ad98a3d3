//! Asks the sentinels which server is the primary.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisResult, cmd};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::error::{Reason, failure};
use crate::link::{BEAT, Link};
use crate::url::{Kind, Target};

/// How long a sentinel, or a node that knows the others, may take.
pub(crate) const ASK: Duration = Duration::from_millis(500);

/// The name or address of a server, and its port.
pub(crate) type Address = (String, u16);

/// The sentinels of a URL.
pub(crate) struct Sentinels(Vec<Arc<Sentinel>>);

struct Sentinel {
    target: Arc<Target>,
    at: Address,
    service: String,
    connection: Mutex<Option<MultiplexedConnection>>,
}

impl Sentinels {
    /// None, if the URL names the servers themselves.
    pub(crate) fn new(target: &Arc<Target>) -> Self {
        let Kind::Sentinel { service } = &target.kind else { return Self(Vec::new()) };
        let sentinel = |at: &Address| {
            let (target, at, service) = (Arc::clone(target), at.clone(), service.clone());
            Arc::new(Sentinel { target, at, service, connection: Mutex::default() })
        };
        Self(target.hosts.iter().map(sentinel).collect())
    }

    /// The server that more than half of the sentinels name.
    ///
    /// Any two such majorities have a sentinel in common. So after one instance was told of a new primary, no other is
    /// told that the old one still is it.
    pub(crate) async fn primary(&self) -> RedisResult<Address> {
        let mut asked = JoinSet::new();
        for sentinel in &self.0 {
            let sentinel = Arc::clone(sentinel);
            asked.spawn(async move { sentinel.primary().await });
        }
        let mut votes: HashMap<Address, usize> = HashMap::new();
        let mut last = failure("most of the sentinels must name the same primary");
        while let Some(answer) = asked.join_next().await {
            match answer {
                Ok(Ok(Some(named))) => {
                    let votes_for = votes.entry(named.clone()).or_default();
                    *votes_for += 1;
                    if *votes_for > self.0.len() / 2 {
                        // A slower sentinel keeps its connection for the next question.
                        asked.detach_all();
                        return Ok(named);
                    }
                }
                Ok(Err(error)) => last = error,
                Ok(Ok(None)) | Err(_) => {}
            }
        }
        Err(last)
    }

    /// Confirms again and again that a server is the primary. Returns when another one is, and why the link must end.
    ///
    /// After a failover, the old primary goes on to answer its instances until a sentinel makes it a replica, which takes
    /// about ten seconds (`sentinelRefreshInstanceInfo` in `sentinel.c`).
    pub(crate) async fn confirm(&self, named: &Address, link: &Link) -> Reason {
        loop {
            let asked = Instant::now();
            match self.primary().await {
                Ok(primary) if primary == *named => link.is_confirmed(asked),
                Ok(_) => return Reason::from("the sentinels chose another primary"),
                Err(_) => {}
            }
            sleep_until(asked + BEAT).await;
        }
    }
}

impl Sentinel {
    async fn primary(&self) -> RedisResult<Option<Address>> {
        let known = self.known().clone();
        let connected = match known {
            Some(connection) => connection,
            None => self.connect(false).await?,
        };
        let answer = match self.ask(connected).await {
            // Often only the servers have a password.
            Err(error) if error.code() == Some("NOAUTH") => self.ask(self.connect(true).await?).await,
            answer => answer,
        };
        if answer.is_err() {
            *self.known() = None;
        }
        answer
    }

    async fn ask(&self, mut connection: MultiplexedConnection) -> RedisResult<Option<Address>> {
        let question = cmd("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(&self.service).to_owned();
        let answer = question.query_async(&mut connection).await?;
        *self.known() = Some(connection);
        Ok(answer)
    }

    async fn connect(&self, with_password: bool) -> RedisResult<MultiplexedConnection> {
        let (host, port) = &self.at;
        let client = self.target.sentinel(host, *port, with_password)?;
        client.get_multiplexed_async_connection_with_config(&asking()).await
    }

    fn known(&self) -> MutexGuard<'_, Option<MultiplexedConnection>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The settings of a connection that only asks where a server is.
pub(crate) fn asking() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_connection_timeout(Some(ASK)).set_response_timeout(Some(ASK))
}
