//! Rules with a real Auth.js server: the time of the sign-in, a new sign-in, and roles.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_proxy::options::{Builder, SessionStrategy};
use auth_proxy::rules::{max_age, not, role};
use auth_proxy_tests::chromium::{output, run};
use auth_proxy_tests::{App, Browser, LogCapture};
use axum::Router;
use axum::response::Html;
use axum::routing::get;

use crate::server::{SECRET, Server};

auth_proxy::auth_proxy! {
    struct Auth { upstream: { kind: authjs, base_url: env("URL") } }
}

const MINUTES: Duration = Duration::from_secs(600);
const PAGE: [(&str, &str); 2] = [("accept", "text/html"), ("sec-fetch-mode", "navigate")];

/// An app whose clock is ahead of the server's by so many seconds.
struct Ahead {
    app: App,
    seconds: Arc<AtomicU64>,
    _server: Server,
}

impl Ahead {
    async fn of(server: Server, configure: impl FnOnce(Builder<Auth>) -> Builder<Auth>) -> Self {
        let seconds = Arc::new(AtomicU64::new(0));
        let ahead = Arc::clone(&seconds);
        let now =
            move || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + ahead.load(SeqCst);
        let auth = configure(Auth::builder().upstream_base_url(&server.url).clock(now)).build().unwrap();
        let page = || get(|| async { Html("<!doctype html><title>the page</title><p>the page") });
        let router = Router::new()
            .merge(Router::new().route("/recent", page()).route_layer(auth.require(max_age(MINUTES))))
            .merge(Router::new().route("/admin", page()).route_layer(auth.require(role("admin"))))
            .merge(Router::new().route("/no_user", page()).route_layer(auth.require(not(role("user")))));
        let app = App::start(auth.attach(router).with_state(auth.clone())).await;
        Self { app, seconds, _server: server }
    }

    fn set(&self, seconds: u64) {
        self.seconds.store(seconds, SeqCst);
    }
}

fn server(vars: &[(&str, &str)]) -> Server {
    Server::with(SessionStrategy::Jwt, "/api/auth", vars)
}

/// The snippet of the guide is the one that these tests run.
#[test]
fn guide_shows_the_callbacks_that_are_tested() {
    let guide = include_str!("../../../auth-proxy/docs/guide/policies.md");
    let callbacks = include_str!("../../authjs/auth-time.mjs");
    assert!(guide.contains(callbacks), "the guide lacks tests/authjs/auth-time.mjs");
}

#[tokio::test]
async fn visitor_signs_in_again_and_passes() {
    for decodes in [false, true] {
        let ahead = Ahead::of(server(&[("AUTH_TIME", "1")]), |auth| {
            if decodes { auth.upstream_secret([SECRET]) } else { auth }
        })
        .await;
        let browser = Browser::of(&ahead.app);
        assert_eq!(browser.get("/recent").await.code(), "session_absent");
        browser.sign_in("demo", "demo").await;
        assert_eq!(browser.get("/recent").await.status, 200, "decodes: {decodes}");

        ahead.set(700);
        // Each lookup renews the token with its `iat`, and not the time of the sign-in.
        for _ in 0..2 {
            let refused = browser.get("/recent").await;
            assert_eq!((refused.status, refused.code().as_str()), (401, "step_up_required"), "{refused:?}");
            assert!(refused.header("www-authenticate").contains(r#"max_age="600""#), "{refused:?}");
        }
        let sent = browser.get_with("/recent", &PAGE).await;
        let sign_in = sent.header("location").to_owned();
        assert_eq!((sent.status, sign_in.as_str()), (303, "/api/auth/signin?callbackUrl=%2Frecent"));
        // The server shows its form to a visitor who is signed in, and takes the sign-in.
        let form = browser.get_with(&sign_in, &PAGE).await;
        assert_eq!(form.status, 200, "{form:?}");
        assert!(form.body.contains("name=\"password\""), "{}", form.body);

        // The time of a sign-in has whole seconds.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        browser.sign_in("demo", "demo").await;
        // For the app, the new sign-in is 700 seconds old too. It is a newer one, so it is asked for again.
        assert_eq!(browser.get_with("/recent", &PAGE).await.status, 303);
        ahead.set(0);
        assert_eq!(browser.get_with("/recent", &PAGE).await.status, 200);
    }
}

/// A visitor who comes back with the sign-in of before is not sent back and forth.
#[tokio::test]
async fn visitor_without_a_new_sign_in_is_not_redirected_twice_in_a_row() {
    let ahead = Ahead::of(server(&[("AUTH_TIME", "1")]), |auth| auth).await;
    let browser = Browser::of(&ahead.app);
    browser.sign_in("demo", "demo").await;
    ahead.set(700);
    for _ in 0..2 {
        assert_eq!(browser.get_with("/recent", &PAGE).await.status, 303);
        let stopped = browser.get_with("/recent", &PAGE).await;
        assert_eq!((stopped.status, stopped.header("content-type")), (401, "text/html; charset=utf-8"));
        assert!(stopped.body.contains("<code>step_up_required</code>"), "{}", stopped.body);
    }
}

#[tokio::test]
async fn auth_js_without_the_callback_is_refused_with_its_reason() {
    let log = LogCapture::start();
    let ahead = Ahead::of(server(&[]), |auth| auth.upstream_secret([SECRET])).await;
    let browser = Browser::of(&ahead.app);
    browser.sign_in("demo", "demo").await;
    let refused = browser.get("/recent").await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "sign_in_time_unknown"));
    let page = browser.get_with("/recent", &PAGE).await;
    assert_eq!((page.status, page.header("location")), (403, ""), "{page:?}");
    let reason = "let the callback `jwt` of Auth.js write `auth_time`";
    assert_eq!(log.times(reason), 1, "{}", log.text());
}

#[tokio::test]
async fn role_of_the_session_callback_and_of_the_token_decides() {
    for decodes in [false, true] {
        let ahead =
            Ahead::of(server(&[]), |auth| if decodes { auth.upstream_secret([SECRET]) } else { auth }).await;
        let browser = Browser::of(&ahead.app);
        for (name, admin, no_user) in [("demo", 403, 403), ("admin", 200, 200)] {
            browser.sign_in(name, name).await;
            let status = async |path: &str| browser.get(path).await.status;
            assert_eq!((status("/admin").await, status("/no_user").await), (admin, no_user), "{name}");
        }
    }
}

/// In Chromium: the page, the form of the server, and the page again. For the app, a sign-in is ten minutes old from its
/// tenth second on, so only a new one opens the page.
#[tokio::test]
async fn new_sign_in_works_in_chromium() {
    let ahead = Ahead::of(server(&[("AUTH_TIME", "1")]), |auth| auth).await;
    ahead.set(606);
    let vars = vec![("APP", ahead.app.url("")), ("OUTPUT", output("step-up"))];
    run("step-up.mjs", vars, "signed in again, back on the page, stopped without a new sign-in").await;
}
