//! What happens to Redis in a storm.

use std::time::{Duration, Instant};

use auth_proxy_tests::redis::{Sentinel, Server};

#[derive(Clone, Copy)]
pub(crate) enum Faults {
    /// Each kind, again and again.
    All,
    /// The server is paused for a few seconds, again and again.
    Pauses,
}

impl Faults {
    /// Breaks Redis until then. Returns the servers, which may be down.
    pub(crate) fn run(self, mut redis: Sentinel, until: Instant) -> Sentinel {
        type Fault = fn(&mut Sentinel);
        let faults: &[(&str, Fault)] = match self {
            Self::All => &[
                ("pause", pause),
                ("kill", kill),
                ("flush", flush),
                ("fill", fill),
                ("garbage", garbage),
                ("disconnect", disconnect),
                ("fail over", fail_over),
            ],
            Self::Pauses => &[("pause", pause)],
        };
        for (name, fault) in faults.iter().cycle() {
            std::thread::sleep(Duration::from_secs(2));
            if Instant::now() >= until {
                return redis;
            }
            let began = Instant::now();
            fault(&mut redis);
            println!("storm: {name}, {:.1?}", began.elapsed());
        }
        redis
    }
}

/// The server that is the primary now. `None` while none is.
fn primary(redis: &Sentinel) -> Option<&Server> {
    [&redis.primary, &redis.replica]
        .into_iter()
        .find(|server| server.try_ask("ROLE").is_some_and(|answer| answer.contains("master")))
}

/// Waits until the sentinel knows a primary and a replica that follows it.
fn settle(redis: &Sentinel) {
    let until = Instant::now() + Duration::from_secs(15);
    while Instant::now() < until {
        let is_followed = primary(redis)
            .and_then(|server| server.try_ask("INFO replication"))
            .is_some_and(|answer| answer.contains("connected_slaves:1") && answer.contains("state=online"));
        if is_followed {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    println!("storm: no replica follows the primary");
}

/// The sentinel fails over while the primary is paused for more than half a second.
fn pause(redis: &mut Sentinel) {
    if let Some(server) = primary(redis) {
        server.pause();
        std::thread::sleep(Duration::from_secs(3));
        server.resume();
    }
    settle(redis);
}

fn kill(redis: &mut Sentinel) {
    let is_first = primary(redis).is_some_and(|server| server.port == redis.primary.port);
    let server = if is_first { &mut redis.primary } else { &mut redis.replica };
    server.kill();
    std::thread::sleep(Duration::from_secs(3));
    server.restart();
    settle(redis);
}

fn flush(redis: &mut Sentinel) {
    ask(redis, "FLUSHALL");
}

fn fill(redis: &mut Sentinel) {
    ask(redis, "CONFIG SET maxmemory 1");
    std::thread::sleep(Duration::from_secs(2));
    for server in [&redis.primary, &redis.replica] {
        server.try_ask("CONFIG SET maxmemory 0");
    }
}

fn garbage(redis: &mut Sentinel) {
    let script = "for i, key in ipairs(redis.call('KEYS', 'auth-proxy:s:*')) do \
                  if i % 2 == 0 then redis.call('SET', key, 'garbage') \
                  else redis.call('DEL', key) redis.call('LPUSH', key, 'garbage') end end";
    ask(redis, &format!("EVAL \"{script}\" 0"));
}

fn disconnect(redis: &mut Sentinel) {
    for kind in ["normal", "pubsub"] {
        ask(redis, &format!("CLIENT KILL TYPE {kind}"));
    }
}

fn fail_over(redis: &mut Sentinel) {
    redis.sentinel.try_ask("SENTINEL FAILOVER main");
    std::thread::sleep(Duration::from_secs(3));
    settle(redis);
}

fn ask(redis: &Sentinel, command: &str) {
    if let Some(answer) = primary(redis).and_then(|server| server.try_ask(command)) {
        assert!(!answer.starts_with('-'), "{command}: {answer}");
    }
}
