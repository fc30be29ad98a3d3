//! Visitors who sign in and out, and look at all instances all the time.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use auth_proxy_tests::loopback_client;

use crate::instances::{COUNT, Instances};
use crate::upstream::{COOKIE, Upstream};

const VISITORS: usize = 16;

const SIGNED_IN: u8 = 0;
const SIGNING_OUT: u8 = 1;
const SIGNED_OUT: u8 = 2;

/// What a storm saw.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) requests: u64,
    pub(crate) lookups: u64,
    pub(crate) sign_outs: u64,
    /// Visitors who were let in by a request that began after the answer to their sign-out.
    pub(crate) let_in: u64,
    /// Visitors who were refused before they signed out.
    pub(crate) signed_out: u64,
    /// Requests with another answer.
    pub(crate) failed: u64,
    /// The times from the end of a session at the upstream to the answer of the sign-out, sorted.
    lags: Vec<Duration>,
}

impl Report {
    /// The share of requests that were answered from memory or from Redis.
    pub(crate) fn cached_share(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let share = self.lookups as f64 / self.requests as f64;
        1.0 - share
    }

    fn lag(&self, per_mille: usize) -> Duration {
        let at = (self.lags.len() * per_mille / 1000).min(self.lags.len().saturating_sub(1));
        self.lags.get(at).copied().unwrap_or_default()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} wrong answers of {} ({} let in after a sign-out, {} signed out, {} failed), {} sign-outs, \
             {:.0} % from cache; all instances know of a sign-out after {:.1?} (median), {:.1?} (p99), {:.1?} (most)",
            self.let_in + self.signed_out + self.failed,
            self.requests,
            self.let_in,
            self.signed_out,
            self.failed,
            self.sign_outs,
            100.0 * self.cached_share(),
            self.lag(500),
            self.lag(990),
            self.lag(1000),
        )
    }
}

#[derive(Default)]
struct Counts {
    requests: AtomicU64,
    sign_outs: AtomicU64,
    let_in: AtomicU64,
    signed_out: AtomicU64,
    failed: AtomicU64,
    lags: Mutex<Vec<Duration>>,
}

pub(crate) async fn storm(instances: &Instances, upstream: &Arc<Upstream>, until: Instant) -> Report {
    let counts = Arc::new(Counts::default());
    let urls: Vec<String> = instances.apps.iter().map(|app| app.url("")).collect();
    let visitors = (0..VISITORS).map(|number| {
        let (counts, urls, upstream) = (Arc::clone(&counts), urls.clone(), Arc::clone(upstream));
        tokio::spawn(async move {
            for life in 0.. {
                if Instant::now() >= until {
                    return;
                }
                live(format!("visitor-{number}-{life}"), &urls, &upstream, &counts).await;
            }
        })
    });
    for visitor in visitors.collect::<Vec<_>>() {
        visitor.await.unwrap();
    }
    let mut lags = std::mem::take(&mut *counts.lags.lock().unwrap());
    lags.sort_unstable();
    Report {
        requests: counts.requests.load(SeqCst),
        lookups: upstream.lookups.load(SeqCst),
        sign_outs: counts.sign_outs.load(SeqCst),
        let_in: counts.let_in.load(SeqCst),
        signed_out: counts.signed_out.load(SeqCst),
        failed: counts.failed.load(SeqCst),
        lags,
    }
}

/// A visitor signs in, reads at all instances, signs out at one of them, and goes on to read for a while.
async fn live(token: String, urls: &[String], upstream: &Arc<Upstream>, counts: &Arc<Counts>) {
    let client = loopback_client();
    let (phase, is_over) = (Arc::new(AtomicU8::new(SIGNED_IN)), Arc::new(AtomicBool::new(false)));
    let signed_out_at = Arc::new(OnceLock::new());
    upstream.sign_in(&token);
    let readers: Vec<_> = urls
        .iter()
        .map(|url| {
            let (client, url) = (client.clone(), format!("{url}/me"));
            let (phase, is_over) = (Arc::clone(&phase), Arc::clone(&is_over));
            let (counts, upstream, token) = (Arc::clone(counts), Arc::clone(upstream), token.clone());
            let signed_out_at = Arc::clone(&signed_out_at);
            tokio::spawn(async move {
                while !is_over.load(SeqCst) {
                    let before = phase.load(SeqCst);
                    let began = signed_out_at.get().copied().unwrap_or_else(Instant::now);
                    let answer = client.get(&url).header("cookie", format!("{COOKIE}={token}")).send().await;
                    let status = answer.map_or(0, |answer| answer.status().as_u16());
                    let after = phase.load(SeqCst);
                    counts.requests.fetch_add(1, SeqCst);
                    let wrong = match (before, status, after) {
                        (SIGNED_OUT, 200, _) => Some(&counts.let_in),
                        (_, 401, SIGNED_IN) => Some(&counts.signed_out),
                        (_, 200 | 401, _) => None,
                        _ => Some(&counts.failed),
                    };
                    if let Some(wrong) = wrong {
                        wrong.fetch_add(1, SeqCst);
                        println!(
                            "storm: {status} at {url} for {token}, signed out {:.1?} ago",
                            began.elapsed()
                        );
                    }
                    tokio::time::sleep(Duration::from_millis(upstream.random(40))).await;
                }
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(20 + upstream.random(600))).await;
    let at = usize::try_from(upstream.random(COUNT as u64)).unwrap();
    phase.store(SIGNING_OUT, SeqCst);
    let sign_out = client.post(format!("{}/api/auth/signout", urls[at]));
    let answer = sign_out.header("cookie", format!("{COOKIE}={token}")).send().await;
    let answered_at = Instant::now();
    match answer {
        Ok(answer) if answer.status() == 200 => {
            signed_out_at.set(answered_at).unwrap();
            phase.store(SIGNED_OUT, SeqCst);
            counts.sign_outs.fetch_add(1, SeqCst);
            let ended_at = upstream.ended_at(&token).expect("a session that ended");
            counts.lags.lock().unwrap().push(answered_at - ended_at);
        }
        _ => drop(counts.failed.fetch_add(1, SeqCst)),
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    is_over.store(true, SeqCst);
    for reader in readers {
        reader.await.unwrap();
    }
}
