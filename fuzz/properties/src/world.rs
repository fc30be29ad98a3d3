//! The proxy under test, and an upstream that records requests and sends the response that a property sets.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::Future;

use auth_proxy::auth_proxy;
use axum::Router;
use axum::body::Body;
use http::request::Parts;
use http::{Request, Response};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;

pub(crate) const COOKIE: &str = "authjs.session-token";
pub(crate) const SECRET: &str = "a secret that is long enough for anybody";

auth_proxy! {
    pub(crate) struct Auth {
        upstream: { base_url: "http://auth.internal:3000/tenant", headers: { "x-api-key": env("KEY") } },
    }
}

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread().enable_time().build().unwrap();
    static ASKED: RefCell<Vec<Parts>> = const { RefCell::new(Vec::new()) };
    static ANSWER: RefCell<Option<Response<Body>>> = const { RefCell::new(None) };
}

/// A proxy with the upstream of this module, without retries and circuit breaker.
pub(crate) fn builder() -> auth_proxy::options::Builder<Auth> {
    let upstream = tower::service_fn(|request: Request<Body>| async {
        ASKED.with_borrow_mut(|recorded| recorded.push(request.into_parts().0));
        let answer = ANSWER.take();
        Ok::<_, Infallible>(answer.unwrap_or_else(|| Response::new(Body::from("{}"))))
    });
    Auth::builder()
        .vars([("KEY", "k3y")])
        .upstream_fetch(upstream)
        .upstream_retries(0)
        .upstream_circuit_breaker(0)
}

/// Sets the next response of the upstream and clears the recorded requests.
pub(crate) fn upstream(answer: Option<Response<Body>>) {
    ASKED.take();
    ANSWER.set(answer);
}

/// Takes the recorded requests.
pub(crate) fn take_requests() -> Vec<Parts> {
    ASKED.take()
}

pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// Sends a request to an app. Returns the response and its body.
pub(crate) fn call(app: &Router, request: Request<Body>) -> (http::response::Parts, Vec<u8>) {
    wait(async {
        let (parts, body) =
            app.clone().oneshot(request).await.unwrap_or_else(|never| match never {}).into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.map(Vec::from);
        (parts, body.unwrap_or_default())
    })
}
