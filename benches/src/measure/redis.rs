//! Measures what requests cost Redis, and the round trip of a `get`.

use std::time::{Duration, Instant};

use auth_proxy_redis::{Options, RedisStore};

use super::{is_quick, median};
use crate::Error;
use crate::report::{Row, Target, figure};
use crate::shared::costs::{self, Cost};
use crate::shared::redis::{Redis, round_trip};

pub(super) fn run() -> Result<(), Error> {
    let costs = costs::measure()?;
    let modes = [
        ("the first request of a session", costs.first),
        ("the first at another instance", costs.elsewhere),
        ("a later request", costs.later),
        ("a request with an unknown token", costs.unknown),
        ("a second of one instance: beats", costs.beats),
        ("a sign-out, one instance", costs.sign_out),
        ("a sign-out, each further instance", costs.sign_out_each),
    ];
    for (mode, cost) in modes {
        let Cost { scripts, messages, commands, to, from, cpu } = cost;
        let text = format!(
            "{scripts:.2} scripts, {messages:.2} messages ({commands:.1} commands in all), {to:.0} bytes to Redis, {from:.0} from it, \
             {cpu:.0} µs of its CPU"
        );
        figure("redis", mode, &text)?;
    }
    let none =
        Row::new("redis", "scripts of a later request", costs.later.scripts.round(), "", Target::AtMost(0.0));
    none.write()?;
    get()
}

/// The round trip of `get` of a session of 500 bytes, and of a bare `GET` in the same run, in turns.
fn get() -> Result<(), Error> {
    let redis = Redis::start()?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let store = RedisStore::new(Options::new(redis.url()).grace(Duration::ZERO), |_| ())?;
        store.start();
        let key = [7; 32];
        let until = Instant::now() + Duration::from_secs(10);
        while !put(&store, &key).await {
            if Instant::now() > until {
                return Err("the store is not up".into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let mut connection = redis.connect()?;
        round_trip(&mut connection, &format!("SET bare {}", "x".repeat(500)))?;
        let (mut through, mut bare) = (Vec::new(), Vec::new());
        for _ in 0..if is_quick() { 2_000 } else { 50_000 } {
            let start = Instant::now();
            store.get(&key).await?.value.ok_or("no value")?;
            through.push(start.elapsed().as_secs_f64() * 1e6);
            let start = Instant::now();
            round_trip(&mut connection, "GET bare")?;
            bare.push(start.elapsed().as_secs_f64() * 1e6);
        }
        let p99 = |all: &[f64]| {
            let mut sorted = all.to_vec();
            sorted.sort_by(f64::total_cmp);
            sorted.get(sorted.len() * 99 / 100).copied().unwrap_or(f64::NAN)
        };
        let text = |all: &[f64]| format!("p50 {:.0} µs, p99 {:.0} µs", median(all.iter().copied()), p99(all));
        figure("redis", "round trip of `get`, 500 bytes", &text(&through))?;
        figure("redis", "round trip of a bare GET on a blocking socket", &text(&bare))?;
        Row::new("redis", "round trip, `get` / bare GET", median(through) / median(bare), "x", Target::None)
            .write()
    })
}

async fn put(store: &RedisStore, key: &[u8; 32]) -> bool {
    let Ok(Some(ticket)) = store.get(key).await.map(|read| read.ticket) else { return false };
    store.put(&ticket, &[7; 500], &[], Duration::from_secs(3600)).await.unwrap_or_default()
}
