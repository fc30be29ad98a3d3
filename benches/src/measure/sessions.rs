//! Measures what a remembered session costs: bytes for each of up to a million sessions, and the time of finding one again.
//!
//! Each figure comes from a process of its own. Its upstream answers in the process, each token with its own session, so
//! that a million lookups take seconds.

use std::convert::Infallible;
use std::future::ready;
use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

use auth_proxy::auth_proxy;
use auth_proxy::options::SessionStrategy;
use axum::body::Body;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue, Request, Response};

use super::{Effort, is_quick, own_memory};
use crate::report::{Row, Target, figure};
use crate::stats::Estimate;
use crate::{Error, tokens::NAME};

/// The size of the body of each session, in bytes.
const BODY: usize = 200;

/// How many lookups are timed.
const LOOKUPS: usize = 200_000;

/// The ways to use the sessions: what a child measures, the words of the report, and the target. The target is that of
/// sessions in the app's type; those that are used for claims only are open as maps.
const USES: [(&str, &str, Target); 2] = [
    ("token", "used for claims only", Target::None),
    ("session", "each used in the app's type", Target::AtMost(600.0)),
];

auth_proxy! {
    struct Auth { upstream: { base_url: "http://auth.internal" } }
}

pub(super) fn run() -> Result<(), Error> {
    let sizes: &[usize] = if is_quick() { &[1000] } else { &[1000, 10_000, 100_000, 1_000_000] };
    for (usage, words, target) in USES {
        for &size in sizes {
            let mut turns = [Vec::new(), Vec::new(), Vec::new()];
            for _ in 0..Effort::usual().rounds.min(3) {
                let figures = in_new_process(usage, size)?;
                turns.iter_mut().zip(figures).for_each(|(turns, figure)| turns.push(figure));
            }
            let [bytes, found, walked] = turns.map(Estimate::of);
            let what = format!("{size} sessions, {words}");
            let figures = format!(
                "{bytes} bytes a session, {found} ns to find one, of which {walked} ns for its headers"
            );
            figure("sessions", &what, &figures)?;
            if size == 1_000_000 {
                let what = format!("bytes for each of {size} sessions of {BODY} bytes, {words}");
                Row::new("sessions", &what, bytes, "", target).write()?;
            }
        }
    }
    Ok(())
}

/// The bytes of a session, the nanoseconds of finding one, and those of reading its headers alone.
fn in_new_process(usage: &str, sessions: usize) -> Result<[f64; 3], Error> {
    let mut command = Command::new(std::env::current_exe()?);
    let output = command.args(["sessions", usage, &sessions.to_string()]).output()?;
    let text = String::from_utf8(output.stdout)?;
    let figures = text.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    <[f64; 3]>::try_from(figures).map_err(|_| String::from_utf8_lossy(&output.stderr).into())
}

/// Measures in the process that [`in_new_process`] starts, and prints the figures.
///
/// # Errors
/// When a session is not found, or is looked up twice.
#[expect(clippy::print_stdout, reason = "its answer")]
pub fn child(usage: &str, sessions: usize) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // The parts of the memory do not fill evenly. With a fifth more places none of them is full.
    let entries = u32::try_from(sessions + sessions / 5 + 1000)?;
    let auth = Auth::builder()
        .upstream_session_strategy(SessionStrategy::Database)
        .public_url("http://app.test")
        .upstream_fetch(tower::service_fn(|request: Request<Body>| ready(answer(&request))))
        .session_cache(Duration::from_secs(3600))
        .session_cache_entries(entries)
        .build()?;
    runtime.block_on(async {
        // What is made once is not counted.
        find(&auth, usage, &headers(usize::MAX)?).await?;
        let before = own_memory()?;
        for n in 0..sessions {
            let headers = headers(n)?;
            find(&auth, usage, &headers).await?;
            // In memory. What a session takes that was found there counts too.
            find(&auth, usage, &headers).await?;
        }
        let kib = own_memory()? - before;
        let all = u32::try_from(sessions)?;
        let found = nanos(sessions, async |headers| find(&auth, usage, headers).await).await?;
        let walked = nanos(sessions, async |headers| {
            black_box(
                headers
                    .get(COOKIE)
                    .map(|cookie| cookie.as_bytes().iter().map(|&b| u64::from(b)).sum::<u64>()),
            );
            Ok(())
        })
        .await?;
        println!("{} {found} {walked}", kib * 1024.0 / f64::from(all));
        Ok(())
    })
}

/// Finds a session as a handler does that takes a `Session`, or a `Token`, which is made of the session here.
async fn find(auth: &Auth, usage: &str, headers: &HeaderMap) -> Result<(), Error> {
    match usage {
        "session" => {
            let session = auth.session(headers).await?.ok_or("no session")?;
            black_box(session.user.name.as_deref());
        }
        "token" => {
            let token = auth.token(headers).await?.ok_or("no session")?;
            black_box(token.sub.as_deref());
        }
        _ => return Err(format!("no use `{usage}`").into()),
    }
    Ok(())
}

/// The mean nanoseconds of a call for the headers of sessions in an order that no cache of the processor foresees.
async fn nanos(
    sessions: usize,
    mut call: impl AsyncFnMut(&HeaderMap) -> Result<(), Error>,
) -> Result<f64, Error> {
    const BATCH: usize = 100;
    let (mut spent, mut n) = (Duration::ZERO, 0_usize);
    for _ in 0..LOOKUPS / BATCH {
        // Made before each batch, so that a million of headers does not compete with the sessions for the caches.
        let batch = (0..BATCH)
            .map(|_| {
                n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                headers((n >> 16) % sessions)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let start = Instant::now();
        for headers in &batch {
            call(black_box(headers)).await?;
        }
        spent += start.elapsed();
    }
    Ok(spent.as_secs_f64() * 1e9 / f64::from(u32::try_from(LOOKUPS)?))
}

fn headers(n: usize) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    headers.insert(COOKIE, HeaderValue::from_str(&format!("{NAME}=6f1c6f0e-5d0e-4a7b-9d3e-{n:020}"))?);
    Ok(headers)
}

/// The session of the token that was sent, as Auth.js answers it.
fn answer(request: &Request<Body>) -> Result<Response<Body>, Infallible> {
    let cookie = request.headers().get(COOKIE).map(HeaderValue::as_bytes).unwrap_or_default();
    let n = std::str::from_utf8(cookie.get(cookie.len().saturating_sub(12)..).unwrap_or_default());
    Ok(Response::new(Body::from(body(n.unwrap_or_default()))))
}

/// A session of [`BODY`] bytes.
fn body(n: &str) -> String {
    let end = r#""role":"member"},"expires":"2100-01-01T00:00:00.000Z"}"#;
    let start = format!(
        r#"{{"user":{{"id":"{n}","name":"Ada Lovelace","email":"ada.{n}@example.com","image":"https://example.com/"#
    );
    let width = BODY.saturating_sub(start.len() + end.len() + 2);
    format!("{start}{:0>width$}\",{end}", "")
}
