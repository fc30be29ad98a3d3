//! The background task, which keeps one link after another.

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use redis::cluster_routing::{MultipleNodeRoutingInfo, ResponsePolicy, RoutingInfo};
use redis::{RedisResult, cmd};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tracing::{info, warn};

use crate::connect::{Connected, connect};
use crate::error::Reason;
use crate::inner::{Inner, Up, random};
use crate::link::{ALIVE, BEAT, Link, NoteList, REMOVED};
use crate::message;
use crate::noting::give_back;
use crate::telling::acknowledge;
use crate::wire::{Wire, in_millis};

const TARGET: &str = "auth_proxy::store";
const FIRST_BACKOFF: Duration = Duration::from_millis(50);
/// Shorter than a sign-out waits for the link.
const LAST_BACKOFF: Duration = Duration::from_millis(500);
/// How long the connections, the scripts and the first beat may take. What follows has a time limit for each command.
const START: Duration = Duration::from_secs(15);

/// Keeps a link until the store is dropped.
pub(crate) async fn keep_linked(inner: Arc<Inner>) {
    let mut backoff = FIRST_BACKOFF;
    let mut down = false;
    loop {
        let (acks, acked) = mpsc::channel(1024);
        let link =
            Arc::new(Link::new(Arc::clone(&inner.shared), inner.next_number(), inner.options.grace, acks));
        let guard = Guard { inner: &inner, link: &link };
        let reason = match start(&inner, &link).await {
            Ok(up) => {
                let acks = acknowledge(Arc::clone(&inner), Arc::clone(&link), up.wire.clone(), acked);
                let acks = Abort(tokio::spawn(acks));
                let notes = Abort(tokio::spawn(give_back(Arc::clone(&inner), Arc::clone(&up))));
                backoff = FIRST_BACKOFF;
                if std::mem::take(&mut down) {
                    info!(target: TARGET, "the link to Redis is up again");
                }
                let reason = beat_until_broken(&inner, &up).await;
                drop((acks, notes));
                reason
            }
            Err(reason) => reason,
        };
        link.fail(reason.clone());
        drop(guard);
        if !std::mem::replace(&mut down, true) {
            warn!(target: TARGET, "the link to Redis is down: {}", reason.0);
        }
        sleep(jittered(backoff)).await;
        backoff = (backoff * 2).min(LAST_BACKOFF);
    }
}

/// Ends the link when the task ends, also with its runtime.
struct Guard<'a> {
    inner: &'a Inner,
    link: &'a Link,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.link.fail(Reason::from("closed"));
        self.link.goes_down();
        *self.inner.lock_current() = None;
    }
}

/// Stops a task on drop.
pub(crate) struct Abort(pub(crate) tokio::task::JoinHandle<()>);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn start(inner: &Inner, link: &Arc<Link>) -> Result<Arc<Up>, Reason> {
    let up = async {
        let up = timeout(START, open(inner, link)).await.map_err(|_| Reason::from("timeout"))??;
        let up = Arc::new(up);
        tokio::select! {
            caught_up = catch_up(inner, &up) => caught_up.map(|()| Arc::clone(&up)),
            reason = another_primary(inner, &up) => Err(reason),
        }
    };
    tokio::select! {
        up = up => up,
        reason = link.broken() => Err(reason),
    }
}

/// Connects and subscribes.
async fn open(inner: &Inner, link: &Arc<Link>) -> Result<Up, Reason> {
    let Connected { main, cluster, primary } =
        connect(&inner.target, &inner.sentinels, link, &inner.names.links).await?;
    let wire = Wire::load(main, cluster).await?;
    cmd("SUBSCRIBE")
        .arg(&inner.names.channel)
        .arg(&inner.names.own)
        .exec_async(&mut wire.main.clone())
        .await?;
    if std::mem::take(&mut inner.lock_pending().overflowed) {
        // Before the new number is taken: an instance that sees this number has forgotten everything.
        if let Err(error) = inner.forget_all(&wire).await {
            inner.lock_pending().overflowed = true;
            return Err(error.into());
        }
        inner.lock_pending().keep_blocks();
        // This instance receives the message too, so this link ends and the next one begins.
        return Err(Reason::from("message to forget everything"));
    }
    let keys = [&inner.names.links, &inner.names.notes, &inner.names.alive].map(String::as_str);
    let (since, mark, is_whole): (u64, String, bool) =
        wire.run(&wire.link, &keys, &[&in_millis(ALIVE)]).await?;
    let began = Instant::now();
    link.since.set(since).ok();
    link.notes.set(NoteList { mark, is_whole }).ok();
    link.saw(since);
    beat(inner, link, &wire).await?;
    Ok(Up { link: Arc::clone(link), wire, primary, began })
}

/// Reads the notes, and tells what is waiting to be told. Then the link is up.
async fn catch_up(inner: &Inner, up: &Arc<Up>) -> Result<(), Reason> {
    let Up { link, wire, .. } = &**up;
    let mut beaten = Instant::now();
    let mut page = 0;
    while inner.read_notes(link, wire, page).await? {
        page += 1;
        beat_if_due(inner, link, wire, &mut beaten).await?;
    }
    loop {
        while inner.replay_some(wire).await? {
            beat_if_due(inner, link, wire, &mut beaten).await?;
        }
        let pending = inner.lock_pending();
        if pending.overflowed {
            return Err(Reason::from("too many sign-outs"));
        }
        if pending.is_empty() {
            *inner.lock_current() = Some(Arc::clone(up));
            if !link.goes_up() {
                return Err(Reason::from("closed"));
            }
            inner.linked.notify_waiters();
            return Ok(());
        }
    }
}

/// Sends a beat if the last one is old: a long replay must not outlast it.
async fn beat_if_due(inner: &Inner, link: &Link, wire: &Wire, beaten: &mut Instant) -> Result<(), Reason> {
    if beaten.elapsed() > BEAT {
        *beaten = Instant::now();
        beat(inner, link, wire).await?;
    }
    Ok(())
}

async fn beat_until_broken(inner: &Inner, up: &Up) -> Reason {
    let link = &up.link;
    let mut replaced = pin!(another_primary(inner, up));
    loop {
        let sent = Instant::now();
        let overdue = link.until().unwrap_or(sent);
        let next = async {
            timeout_at(overdue, beat(inner, link, &up.wire)).await.map_err(|_| link.overdue())??;
            sleep_until(sent + BEAT).await;
            Ok::<_, Reason>(())
        };
        tokio::select! {
            next = next => if let Err(reason) = next { return reason },
            reason = link.broken() => return reason,
            reason = &mut replaced => return reason,
        }
        if !link.is_trusted() {
            return link.overdue();
        }
    }
}

/// Waits until the sentinels choose another primary, and returns why the link must end. Without sentinels, it waits forever.
async fn another_primary(inner: &Inner, up: &Up) -> Reason {
    match &up.primary {
        Some(named) => inner.sentinels.confirm(named, &up.link).await,
        None => pending().await,
    }
}

/// Sends a beat.
async fn beat(inner: &Inner, link: &Link, wire: &Wire) -> Result<(), Reason> {
    let number = inner.next_number();
    let message = message::beat(&inner.instance, number);
    let removed = in_millis(REMOVED);
    let mark = link.notes.get().map_or("", |notes| &notes.mark).as_bytes();
    let is_whole: &[u8] = if link.has_whole_list() { b"1" } else { b"0" };
    let args: [&[u8]; 6] = [&inner.instance, inner.names.own.as_bytes(), &message, &removed, mark, is_whole];
    link.sends(number);
    let keys = [&inner.names.links, &inner.names.alive, &inner.names.notes].map(String::as_str);
    let (links, has_notes): (Option<u64>, bool) = wire.run(&wire.beat, &keys, &args).await?;
    match links {
        Some(links) if has_notes && Some(&links) >= link.since.get() => link.saw(links),
        _ => return Err(Reason::from("the data of Redis was deleted")),
    }
    ping_all(wire).await?;
    Ok(())
}

/// Finds a node of the cluster that is gone: its sessions may come back from a replica that lags.
async fn ping_all(wire: &Wire) -> RedisResult<()> {
    let Some(cluster) = &wire.cluster else { return Ok(()) };
    let routing =
        RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, Some(ResponsePolicy::AllSucceeded)));
    cluster.clone().route_command(cmd("PING"), routing).await.map(|_| ())
}

impl From<redis::RedisError> for Reason {
    fn from(error: redis::RedisError) -> Self {
        Self::from(&error)
    }
}

/// Between half of a time and all of it, so that instances do not reconnect together.
fn jittered(time: Duration) -> Duration {
    let random = random().map_or(0, |bytes| bytes[0]);
    time / 2 + time / 2 * u32::from(random) / 255
}
