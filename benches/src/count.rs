//! Runs an operation on a token or a request N times for callgrind, whose instruction counts do not depend on the load of
//! the machine.
//! callgrind counts only inside of [`counted`]: the setup gathers entropy, so its number of instructions varies.

use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use auth_proxy::require_session;
use auth_proxy::testing::FakeUpstream;
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{HeaderMap, Request};
use tower::Service as _;

use crate::tokens::Auth;
use crate::{Error, tokens};

/// The number of distinct tokens. Cold decoding uses each token once.
pub const MOST: usize = 512;

/// Runs an operation.
///
/// # Errors
/// If the operation is unknown, or `times` is more than [`MOST`].
pub fn run(what: &str, times: usize) -> Result<(), Error> {
    if times > MOST {
        return Err(format!("at most {MOST} times").into());
    }
    let auth = tokens::auth(64)?;
    let (opener, raw) = (tokens::opener()?, tokens::Raw::new()?);
    let pool: Vec<String> = (0..MOST).map(tokens::token).collect();
    let apart = pool.iter().map(|token| tokens::RawToken::new(token)).collect::<Result<Vec<_>, _>>()?;
    let headers = pool.iter().map(|token| tokens::headers(token)).collect::<Result<Vec<_>, _>>()?;
    let same = headers.last().ok_or("no token")?;
    let mut buffer = Vec::with_capacity(1024);
    // Lazy initialisation must not be counted.
    black_box(tokens::decode(&auth, same)?);
    black_box(pool.last().and_then(|token| opener.claims(token)));
    black_box(raw.open(apart.last().ok_or("no token")?, &mut buffer)?);
    match what {
        "decode-cold" => counted(|| {
            headers.iter().take(times).try_for_each(|headers| tokens::decode(&auth, headers).map(hide))
        }),
        "decode-warm" => {
            counted(|| (0..times).try_for_each(|_| tokens::decode(&auth, black_box(same)).map(hide)))
        }
        "open-cold" => counted(|| {
            let opened = |token: &String| opener.claims(token).map(hide).ok_or_else(|| "no token".into());
            pool.iter().take(times).try_for_each(opened)
        }),
        "raw-crypto" => {
            counted(|| apart.iter().take(times).try_for_each(|token| raw.open(token, &mut buffer).map(hide)))
        }
        "session-warm" => session(times),
        "guarded" => request(&auth, same, "/guarded", times),
        "open" => request(&auth, same, "/open", times),
        _ => Err(format!("cannot count `{what}`").into()),
    }
}

/// Finds a session in memory.
fn session(times: usize) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let upstream = runtime.block_on(FakeUpstream::start())?;
    let builder = Auth::builder().upstream_base_url(upstream.url());
    let auth =
        builder.upstream_secret([upstream.secret()]).session_cache(Duration::from_secs(3600)).build()?;
    let headers = HeaderMap::from_iter([(
        http::header::COOKIE,
        upstream.cookie(&serde_json::json!({ "sub": "1", "name": "Ada" })).parse()?,
    )]);
    for _ in 0..3 {
        runtime.block_on(auth.session(&headers))?.ok_or("no session")?;
    }
    counted(|| {
        (0..times).try_for_each(|_| {
            let found = at_once(auth.session(black_box(&headers)))?;
            found?.map(hide).ok_or_else(|| "no session".into())
        })
    })?;
    if upstream.lookups() != 1 {
        return Err("the session was not in memory".into());
    }
    Ok(())
}

#[require_session(Auth)]
async fn guarded() -> &'static str {
    "hello"
}

async fn open() -> &'static str {
    "hello"
}

/// Sends a request to a handler with or without a guard, without a connection.
fn request(auth: &Auth, headers: &HeaderMap, path: &'static str, times: usize) -> Result<(), Error> {
    let app = Router::new().route("/guarded", get(guarded)).route("/open", get(open));
    let mut app = app.with_state(auth.clone());
    let mut send = || {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = http::Uri::from_static(path);
        headers.clone_into(request.headers_mut());
        let response = at_once(app.call(request))??;
        if !response.status().is_success() {
            return Err(response.status().as_str().into());
        }
        hide(response);
        Ok(())
    };
    send()?;
    send()?;
    counted(|| (0..times).try_for_each(|_| send()))
}

/// The result of a future that does not wait.
fn at_once<T>(future: impl Future<Output = T>) -> Result<T, Error> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Ok(value),
        Poll::Pending => Err("it waited".into()),
    }
}

/// `measure/token.rs` and `measure/process.rs` tell callgrind the name of this function.
#[inline(never)]
pub(crate) fn counted(what: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
    what()
}

/// Keeps a result from being optimised away.
fn hide<T>(result: T) {
    black_box(result);
}
