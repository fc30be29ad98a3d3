use std::collections::HashSet;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use auth_proxy::options::SessionStrategy;
use auth_proxy_tests::{App, loopback_client};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::client::ENOUGH;
use crate::support::{Auth, app};
use crate::{ONE_AT_A_TIME, duration, is_over as run_is_over};

const VISITORS: u64 = 24;
const TABS: u64 = 4;
const COOKIE: &str = "authjs.session-token";

/// An upstream with database sessions. It waits after it has read the database, so its response may be outdated when it
/// arrives.
#[derive(Default)]
struct Upstream {
    signed_in: Mutex<HashSet<String>>,
    is_down: AtomicBool,
    random: AtomicU64,
}

impl Upstream {
    /// Waits a random time below this many milliseconds.
    async fn random_delay(&self, below: u64) {
        let n = self.random.fetch_add(0x9e37_79b9_7f4a_7c15, Relaxed);
        let mixed = (n ^ (n >> 31)).wrapping_mul(0x94d0_49bb_1331_11eb);
        tokio::time::sleep(Duration::from_micros((mixed >> 33) % (below * 1000))).await;
    }

    async fn session(State(upstream): State<Arc<Self>>, headers: HeaderMap) -> Response {
        upstream.random_delay(3).await;
        let token = token_of(&headers);
        let is_signed_in = upstream.signed_in.lock().unwrap().contains(&token);
        upstream.random_delay(8).await;
        if upstream.is_down.load(Relaxed) {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        if is_signed_in {
            format!(r#"{{"user":{{"name":"{token}"}}}}"#).into_response()
        } else {
            ([("set-cookie", format!("{COOKIE}=; Max-Age=0"))], "null").into_response()
        }
    }

    async fn sign_out(State(upstream): State<Arc<Self>>, headers: HeaderMap) -> Response {
        upstream.random_delay(3).await;
        upstream.signed_in.lock().unwrap().remove(&token_of(&headers));
        upstream.random_delay(3).await;
        ([("set-cookie", format!("{COOKIE}=; Max-Age=0"))], "{}").into_response()
    }
}

fn token_of(headers: &HeaderMap) -> String {
    let cookies = headers["cookie"].to_str().unwrap();
    let token = cookies.split("; ").find_map(|pair| pair.strip_prefix("authjs.session-token="));
    token.unwrap().to_owned()
}

/// The phases of a visitor.
const SIGNED_IN: u8 = 0;
const SIGNING_OUT: u8 = 1;
/// The visitor has the response to the sign-out.
const SIGNED_OUT: u8 = 2;

/// A visitor who signs in, sends requests from several tabs, and signs out in one of them.
struct Visitor {
    name: String,
    origin: String,
    http: reqwest::Client,
    upstream: Arc<Upstream>,
    phase: AtomicU8,
}

#[derive(Default)]
struct Tally {
    accepted: u64,
    refused: u64,
    failed: u64,
    aborted: u64,
    wrong: Vec<String>,
}

impl Visitor {
    /// Runs from the sign-in until every tab has seen the sign-out.
    async fn run_session(self: Arc<Self>, tally: &Arc<Mutex<Tally>>) {
        self.upstream.signed_in.lock().unwrap().insert(self.name.clone());
        let tabs = (0..TABS).map(|_| {
            let (visitor, tally) = (Arc::clone(&self), Arc::clone(tally));
            tokio::spawn(async move { visitor.run_tab(&tally).await })
        });
        let tabs: Vec<_> = tabs.collect();
        self.sign_out().await;
        for tab in tabs {
            tab.await.unwrap();
        }
    }

    fn cookie(&self) -> String {
        format!("{COOKIE}={}", self.name)
    }

    /// Sends requests until six of them were sent after the sign-out. Aborts one of the six before its response.
    async fn run_tab(&self, tally: &Mutex<Tally>) {
        let mut sent_after_sign_out = 0;
        while sent_after_sign_out < 6 {
            self.upstream.random_delay(4).await;
            let before = self.phase.load(SeqCst);
            sent_after_sign_out += u8::from(before == SIGNED_OUT);
            let timeout = Duration::from_millis(if sent_after_sign_out == 3 { 1 } else { 20_000 });
            let request = self.http.get(format!("{}/required", self.origin)).header("cookie", self.cookie());
            let answer = async {
                let response = request.send().await?;
                Ok::<_, reqwest::Error>((response.status().as_u16(), response.text().await?))
            };
            let answer = tokio::time::timeout(timeout, answer).await;
            let now = self.phase.load(SeqCst);
            let mut tally = tally.lock().unwrap();
            match answer {
                Ok(Ok((200, body)))
                    if before != SIGNED_OUT && body.contains(&format!(r#""{}""#, self.name)) =>
                {
                    tally.accepted += 1;
                }
                Ok(Ok((401, _))) if now != SIGNED_IN => tally.refused += 1,
                Ok(Ok((502..=504, _))) => tally.failed += 1,
                Err(_) if sent_after_sign_out == 3 => tally.aborted += 1,
                answer => {
                    let wrong = format!(
                        "{}, phase {before} when sent, phase {now} when received: {answer:?}",
                        self.name
                    );
                    tally.wrong.push(wrong);
                }
            }
        }
    }

    async fn sign_out(&self) {
        self.upstream.random_delay(40).await;
        self.phase.store(SIGNING_OUT, SeqCst);
        let url = format!("{}/api/auth/signout", self.origin);
        while self.http.post(&url).header("cookie", self.cookie()).send().await.unwrap().status() != 200 {
            self.upstream.random_delay(50).await;
        }
        self.phase.store(SIGNED_OUT, SeqCst);
    }
}

/// The apps have a session cache and `stale_if_error`, and tabs share lookups.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signed_out_visitors_stay_signed_out_under_load() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let lasting = duration("SOAK_SECONDS");
    let upstream = Arc::new(Upstream::default());
    let routes = Router::new()
        .route("/api/auth/session", get(Upstream::session))
        .route("/api/auth/signout", post(Upstream::sign_out))
        .with_state(Arc::clone(&upstream));
    let server = App::start(routes).await;
    let hour = Duration::from_secs(3600);
    let builder = || {
        let builder = Auth::builder()
            .upstream_base_url(server.url(""))
            .upstream_session_strategy(SessionStrategy::Database);
        builder.session_stale_if_error(hour).upstream_circuit_breaker(0).upstream_retries(0)
    };
    let long = app(builder().session_cache(hour)).await;
    let short = app(builder().session_cache(Duration::from_millis(10))).await;
    let tally = Arc::new(Mutex::new(Tally::default()));
    let is_over = Arc::new(AtomicBool::new(false));
    let visitors = (0..VISITORS).map(|number| {
        let origin = if number % 2 == 0 { long.url("") } else { short.url("") };
        let (upstream, tally, is_over) = (Arc::clone(&upstream), Arc::clone(&tally), Arc::clone(&is_over));
        tokio::spawn(async move {
            let http = loopback_client();
            for round in 0.. {
                if is_over.load(Relaxed) {
                    return;
                }
                let visitor = Visitor {
                    name: format!("visitor-{number}-{round}"),
                    origin: origin.clone(),
                    http: http.clone(),
                    upstream: Arc::clone(&upstream),
                    phase: AtomicU8::new(SIGNED_IN),
                };
                Arc::new(visitor).run_session(&tally).await;
            }
        })
    });
    let visitors: Vec<_> = visitors.collect();
    let began = Instant::now();
    let tried_enough = || {
        let tally = tally.lock().unwrap();
        tally.accepted > ENOUGH && tally.refused > ENOUGH
    };
    while !run_is_over(began, lasting, tried_enough) {
        tokio::time::sleep(Duration::from_millis(400)).await;
        upstream.is_down.store(true, Relaxed);
        tokio::time::sleep(Duration::from_millis(100)).await;
        upstream.is_down.store(false, Relaxed);
    }
    is_over.store(true, Relaxed);
    for visitor in visitors {
        visitor.await.unwrap();
    }
    let tally = tally.lock().unwrap();
    println!(
        "{lasting:?}, {VISITORS} visitors with {TABS} tabs: {} accepted, {} refused, {} failed, {} aborted; {} wrong",
        tally.accepted,
        tally.refused,
        tally.failed,
        tally.aborted,
        tally.wrong.len()
    );
    assert!(tally.wrong.is_empty(), "{}", tally.wrong.join("\n"));
    // A run with few requests proves nothing.
    assert!(tally.accepted > ENOUGH && tally.refused > ENOUGH, "{} and {}", tally.accepted, tally.refused);
}
