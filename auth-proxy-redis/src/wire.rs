//! The connections of one link, and the scripts that run over them.

use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster_async::ClusterConnection;
use redis::{Cmd, FromRedisValue, RedisResult, cmd};

use crate::error::is_unknown_script;
use crate::names::Instance;

/// A script, and the hash by which the server knows it.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    text: &'static str,
    hash: String,
}

/// The number of receivers of a message, and the instances that may still trust what they have.
pub(crate) type Receivers = (usize, Vec<Instance>);

#[derive(Clone)]
pub(crate) struct Wire {
    /// The connection with the subscription.
    pub(crate) main: MultiplexedConnection,
    /// The connections to the sessions, if these are in a cluster.
    pub(crate) cluster: Option<ClusterConnection>,
    pub(crate) get: Script,
    pub(crate) put: Script,
    pub(crate) end: Script,
    pub(crate) link: Script,
    pub(crate) beat: Script,
    pub(crate) publish: Script,
    pub(crate) note: Script,
    pub(crate) notes: Script,
    pub(crate) count: Script,
}

impl Wire {
    pub(crate) async fn load(
        mut main: MultiplexedConnection,
        cluster: Option<ClusterConnection>,
    ) -> RedisResult<Self> {
        let main = &mut main;
        Ok(Self {
            get: load(main, include_str!("scripts/get.lua")).await?,
            put: load(main, include_str!("scripts/put.lua")).await?,
            end: load(main, include_str!("scripts/end.lua")).await?,
            link: load(main, include_str!("scripts/link.lua")).await?,
            beat: load(main, include_str!("scripts/beat.lua")).await?,
            publish: load(main, include_str!("scripts/publish.lua")).await?,
            note: load(main, include_str!("scripts/note.lua")).await?,
            notes: load(main, include_str!("scripts/notes.lua")).await?,
            count: load(main, include_str!("scripts/count.lua")).await?,
            main: main.clone(),
            cluster,
        })
    }

    /// Runs a script on the connection with the subscription.
    pub(crate) async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[&str],
        args: &[&[u8]],
    ) -> RedisResult<T> {
        run(&mut self.main.clone(), script, keys, args).await
    }

    /// Runs a script that publishes a message to all instances.
    pub(crate) async fn tell(
        &self,
        script: &Script,
        keys: &[&str],
        args: &[&[u8]],
    ) -> RedisResult<Receivers> {
        let (receivers, alive): (usize, Vec<Vec<u8>>) = self.run(script, keys, args).await?;
        // The list of instances also has the entry `known`.
        Ok((receivers, alive.iter().filter_map(|one| one.as_slice().try_into().ok()).collect()))
    }

    /// Runs a script on the server that has this session.
    pub(crate) async fn run_on_session<T: FromRedisValue>(
        &self,
        script: &Script,
        key: &str,
        args: &[&[u8]],
    ) -> RedisResult<T> {
        match &self.cluster {
            Some(cluster) => run(&mut cluster.clone(), script, &[key], args).await,
            None => run(&mut self.main.clone(), script, &[key], args).await,
        }
    }

    /// Publishes messages, each on its channel, in one round trip.
    pub(crate) async fn publish(&self, messages: impl Iterator<Item = (String, Vec<u8>)>) -> RedisResult<()> {
        let mut all = redis::pipe();
        for (channel, message) in messages {
            all.cmd("PUBLISH").arg(channel).arg(message).ignore();
        }
        all.exec_async(&mut self.main.clone()).await
    }
}

async fn load(connection: &mut MultiplexedConnection, text: &'static str) -> RedisResult<Script> {
    let hash = cmd("SCRIPT").arg("LOAD").arg(text).query_async(connection).await?;
    Ok(Script { text, hash })
}

async fn run<T: FromRedisValue>(
    connection: &mut impl ConnectionLike,
    script: &Script,
    keys: &[&str],
    args: &[&[u8]],
) -> RedisResult<T> {
    match call("EVALSHA", &script.hash, keys, args).query_async(connection).await {
        // Another node of the cluster, or after `SCRIPT FLUSH`. EVAL stores the script there.
        Err(error) if is_unknown_script(&error) => {
            call("EVAL", script.text, keys, args).query_async(connection).await
        }
        answer => answer,
    }
}

fn call(command: &'static str, script: &str, keys: &[&str], args: &[&[u8]]) -> Cmd {
    let mut call = cmd(command);
    call.arg(script).arg(keys.len()).arg(keys).arg(args);
    call
}

/// The milliseconds of a constant, as an argument of a script.
pub(crate) fn in_millis(time: Duration) -> Vec<u8> {
    time.as_millis().to_string().into_bytes()
}
