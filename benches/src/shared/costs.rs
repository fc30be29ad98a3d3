//! What the requests of an app cost Redis, measured with a real `redis-server` through whole apps.

use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode};
use tower::ServiceExt as _;

use super::redis::{Counts, Redis};
use super::sessions;
use crate::Error;

/// The cost of one request, or of one second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Calls of scripts.
    pub scripts: f64,
    /// Messages that were published, by scripts too.
    pub messages: f64,
    /// Commands that the server ran: those in scripts too.
    pub commands: f64,
    /// Bytes to Redis.
    pub to: f64,
    /// Bytes from Redis.
    pub from: f64,
    /// Microseconds of CPU of Redis. It runs all commands in one thread.
    pub cpu: f64,
}

/// The costs in each mode.
#[derive(Clone, Copy, Debug)]
pub struct Costs {
    /// The first request of a session anywhere: the upstream is asked.
    pub first: Cost,
    /// The first request of a session at another instance.
    pub elsewhere: Cost,
    /// A request whose session is in the memory of the instance.
    pub later: Cost,
    /// A request with a token that the upstream does not know.
    pub unknown: Cost,
    /// A second of the beats of one instance.
    pub beats: Cost,
    /// A sign-out, if there is one instance.
    pub sign_out: Cost,
    /// What each further instance adds to a sign-out.
    pub sign_out_each: Cost,
}

/// The sessions of each figure.
const SESSIONS: u64 = 3_000;

/// Two fleets, to find what each further instance adds.
const FLEETS: [usize; 2] = [1, 9];

/// Measures all costs. Takes about half a minute.
///
/// # Errors
/// If anything fails, wrong answers too.
pub fn measure() -> Result<Costs, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let (one, nine) = tokio::try_join!(Fleet::start(FLEETS[0]), Fleet::start(FLEETS[1]))?;
        let sign_out = one.sign_outs().await?;
        let cached = nine.requests().await?;
        let more = nine.sign_outs().await?;
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let others = (FLEETS[1] - FLEETS[0]) as f64;
        Ok(Costs {
            first: cached[0],
            elsewhere: cached[1],
            later: cached[2],
            unknown: cached[3],
            beats: nine.beats,
            sign_out,
            sign_out_each: sign_out.until(more).times(1.0 / others),
        })
    })
}

/// The bytes that a stored session takes in the memory of Redis.
///
/// # Errors
/// If anything fails.
pub fn stored_bytes() -> Result<f64, Error> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let fleet = Fleet::start(1).await?;
        let Some(app) = fleet.apps.first() else { return Err("no instance".into()) };
        let used = || -> Result<f64, Error> {
            let info = fleet.redis.ask("INFO memory")?;
            let used = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
            Ok(used.ok_or("no used_memory")?.trim().parse()?)
        };
        let before = used()?;
        for n in 0..20_000 {
            get(app, sessions::headers(n)?).await?;
        }
        Ok((used()? - before) / 20_000.0)
    })
}

/// Instances that share a Redis server.
struct Fleet {
    redis: Redis,
    apps: Vec<Router>,
    /// A second of the server without instances.
    idle: Cost,
    /// A second of one instance.
    beats: Cost,
}

impl Fleet {
    async fn start(instances: usize) -> Result<Self, Error> {
        let redis = Redis::start()?;
        let mut fleet = Self { redis, apps: Vec::new(), idle: Cost::default(), beats: Cost::default() };
        // Before there is an instance: each connects when it is made.
        fleet.idle = fleet.waiting().await?;
        for _ in 0..instances {
            let auth = sessions::asking(Duration::from_secs(300), Some(&fleet.redis.url()))?;
            fleet.apps.push(sessions::app(&auth));
        }
        fleet.wait_until_shared().await?;
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let each = 1.0 / instances as f64;
        fleet.beats = fleet.idle.until(fleet.waiting().await?).times(each);
        Ok(fleet)
    }

    /// A second in which no request comes.
    async fn waiting(&self) -> Result<Cost, Error> {
        let before = self.redis.counts()?;
        tokio::time::sleep(Duration::from_secs(10)).await;
        Ok(self.since(&before)?.times(0.1))
    }

    /// Waits until each instance stores sessions: a new link is not used at first.
    async fn wait_until_shared(&self) -> Result<(), Error> {
        for (at, app) in self.apps.iter().enumerate() {
            get(app, sessions::headers(800_000_000 + u64::try_from(at)?)?).await?;
        }
        for (at, app) in self.apps.iter().enumerate() {
            let until = Instant::now() + Duration::from_secs(20);
            for n in 0.. {
                let before = self.stored()?;
                get(app, sessions::headers(u64::try_from(at)? * 1_000_000 + 900_000_000 + n)?).await?;
                if self.stored()? > before {
                    break;
                }
                if Instant::now() > until {
                    return Err("an instance does not store its sessions".into());
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(())
    }

    fn stored(&self) -> Result<u64, Error> {
        Ok(self.redis.ask("DBSIZE")?.parse()?)
    }

    /// What a call costs for each of the visitors, without the beats.
    async fn each<F>(&self, visitors: u64, call: impl Fn(u64) -> F) -> Result<Cost, Error>
    where
        F: Future<Output = Result<(), Error>>,
    {
        let (before, start) = (self.redis.counts()?, Instant::now());
        for n in 0..visitors {
            call(n).await?;
        }
        let took = start.elapsed().as_secs_f64();
        let all = self.since(&before)?;
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let (instances, visitors) = (self.apps.len() as f64, visitors as f64);
        let beside = self.idle.and(self.beats.times(instances)).times(took);
        Ok(beside.until(all).times(1.0 / visitors))
    }

    /// The cost since these counts. Reading them is subtracted.
    fn since(&self, before: &Counts) -> Result<Cost, Error> {
        let (now, reading) = (self.redis.counts()?, self.redis.counts()?);
        let own = cost(&now, &reading);
        Ok(own.until(cost(before, &now)))
    }

    /// The first request of a session, at another instance, again, and with an unknown token.
    async fn requests(&self) -> Result<[Cost; 4], Error> {
        let [first, second, ..] = self.apps.as_slice() else { return Err("one instance".into()) };
        let visit = |app, n| async move { get(app, sessions::headers(n)?).await };
        Ok([
            self.each(SESSIONS, |n| visit(first, n)).await?,
            self.each(SESSIONS, |n| visit(second, n)).await?,
            self.each(SESSIONS, |n| visit(first, n)).await?,
            self.each(SESSIONS, |n| async move { refused(first, sessions::unknown(n)?).await }).await?,
        ])
    }

    /// A sign-out of a session that each instance knows.
    async fn sign_outs(&self) -> Result<Cost, Error> {
        let visitors = SESSIONS..2 * SESSIONS;
        for n in visitors.clone() {
            for app in &self.apps {
                get(app, sessions::headers(n)?).await?;
            }
        }
        let Some(first) = self.apps.first() else { return Err("no instance".into()) };
        let cost = self.each(SESSIONS, |n| sign_out(first, SESSIONS + n)).await?;
        Ok(cost)
    }
}

fn cost(before: &Counts, after: &Counts) -> Cost {
    Cost {
        scripts: after.scripts - before.scripts,
        messages: after.messages - before.messages,
        commands: after.commands - before.commands,
        to: after.received - before.received,
        from: after.sent - before.sent,
        cpu: after.cpu - before.cpu,
    }
}

impl Cost {
    /// This cost several times.
    #[must_use]
    pub fn times(self, times: f64) -> Self {
        let Self { scripts, messages, commands, to, from, cpu } = self;
        Self {
            scripts: scripts * times,
            messages: messages * times,
            commands: commands * times,
            to: to * times,
            from: from * times,
            cpu: cpu * times,
        }
    }

    /// Both costs.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            scripts: self.scripts + other.scripts,
            messages: self.messages + other.messages,
            commands: self.commands + other.commands,
            to: self.to + other.to,
            from: self.from + other.from,
            cpu: self.cpu + other.cpu,
        }
    }

    /// Scripts and messages: what a Redis server can do a number of in a second.
    #[must_use]
    pub fn operations(self) -> f64 {
        self.scripts + self.messages
    }

    /// What is missing to another cost.
    #[must_use]
    fn until(self, other: Self) -> Self {
        other.and(self.times(-1.0))
    }
}

async fn answer(app: &Router, method: Method, path: &str, headers: HeaderMap) -> Result<StatusCode, Error> {
    let mut request = Request::new(Body::empty());
    *request.method_mut() = method;
    *request.uri_mut() = path.parse()?;
    *request.headers_mut() = headers;
    Ok(app.clone().oneshot(request).await?.status())
}

async fn get(app: &Router, headers: HeaderMap) -> Result<(), Error> {
    match answer(app, Method::GET, "/me", headers).await? {
        StatusCode::OK => Ok(()),
        status => Err(format!("a visitor with a session got {status}").into()),
    }
}

async fn refused(app: &Router, headers: HeaderMap) -> Result<(), Error> {
    match answer(app, Method::GET, "/me", headers).await? {
        StatusCode::UNAUTHORIZED => Ok(()),
        status => Err(format!("a visitor without a session got {status}").into()),
    }
}

/// Signs a visitor out, and checks that the session is gone.
async fn sign_out(app: &Router, n: u64) -> Result<(), Error> {
    match answer(app, Method::POST, "/api/auth/signout", sessions::headers(n)?).await? {
        StatusCode::OK => Ok(()),
        status => Err(format!("a sign-out got {status}").into()),
    }
}
