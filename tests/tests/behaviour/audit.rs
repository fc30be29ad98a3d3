//! Audit events: each is what was done, and the observer is never in a request's way.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Barrier, mpsc};
use std::time::{Duration, Instant};

use auth_proxy::audit::{Event, EventKind};
use auth_proxy::options::{RevocationList, UpstreamKind};
use auth_proxy::testing::Fault;
use auth_proxy_tests::{App, Browser, COOKIE_NAME, Events, LogCapture, SharedStore, settles, watch};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::post;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::revoke_route::{SECRET, now, revoke, send, signature, token_hash};
use crate::support::{Auth, routes, upstream};

const CLIENT: &str = "127.0.0.1";

/// An event with these fields, from this machine.
fn event(name: &str, fields: Value) -> Value {
    let mut event = json!({ "event": name, "client": CLIENT });
    event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    event
}

/// The routes of the suite, and one that is protected against pages of other origins.
async fn start(auth: &Auth) -> (App, Browser) {
    let write =
        Router::new().route("/write", post(|| async { "done" })).layer(auth.cross_origin_protection());
    let app = App::start(routes(auth).merge(write)).await;
    let browser = Browser::of(&app);
    (app, browser)
}

/// Visitors sign in and out, are refused, and have their tokens revoked. The events, and what they should be.
async fn visits() -> (Vec<Value>, Vec<Value>) {
    let (upstream, store, events) = (upstream().await, SharedStore::telling_ends(), Events::default());
    let builder = Auth::builder().upstream_base_url(upstream.url()).upstream_secret([upstream.secret()]);
    let builder =
        builder.session_cache(Duration::from_secs(60)).session_store(store).public_url("http://app.test");
    let builder = builder
        .session_revocation(RevocationList::Store)
        .revocation_webhook_secret([SECRET])
        .sign_in_limit_per_ip("2/1m");
    let auth = builder.observer(events.observer()).build().unwrap();
    let (app, browser) = start(&auth).await;

    assert_eq!(browser.get("/protected").await.status, 401);
    browser.sign_in("demo", "wrong").await;
    browser.sign_in("demo", "demo").await;
    for path in ["/session", "/token", "/protected", "/session/optional", "/plain"] {
        assert_eq!(browser.get(path).await.status, 200, "{path}");
    }
    assert_eq!(browser.get("/admin").await.code(), "policy_refused");
    let forged = [("cookie", "authjs.session-token=aaaa..bbbb.cccc.dddd")];
    assert_eq!(browser.get_with("/protected", &forged).await.code(), "token_malformed");
    let of_page = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
    assert_eq!(browser.post_with("/write", &[], &of_page).await.code(), "cross_origin_refused");
    browser.sign_out().await;
    // The cookie is gone.
    assert_eq!(browser.get("/group/a").await.code(), "session_absent");

    let cookie = upstream.cookie(&json!({ "sub": "7", "name": "Grace", "email": "grace@example.com" }));
    let as_grace = [("cookie", cookie.as_str())];
    assert_eq!(browser.get_with("/protected", &as_grace).await.status, 200);
    let token = cookie.split_once('=').unwrap().1;
    for message in
        [json!({ "token_hash": token_hash(token) }), json!({ "session": "s" }), json!({ "subject": "8" })]
    {
        assert_eq!(revoke(&app, message).await.0, 204);
    }
    assert_eq!(send(&app, "{}", &["t=1,v1=00"]).await.1, "signature_malformed");
    assert_eq!(browser.get_with("/protected", &as_grace).await.code(), "session_revoked");

    assert_eq!(browser.sign_in("demo", "demo").await.code(), "sign_in_limited");

    auth.events_delivered().await;
    let seen = events.json();
    let session = |at: usize| seen[at]["session"].clone();
    let [signed_in, refused, forged, revoked] = [1, 2, 3, 7].map(session);
    assert!([&signed_in, &refused, &forged, &revoked].iter().all(|hash| is_hash(hash)), "{seen:#?}");
    let expected = vec![
        event("refused", json!({ "outcome": "absent", "code": "session_absent" })),
        event("signed_in", json!({ "by": "form", "subject": "1", "session": signed_in })),
        event(
            "refused",
            json!({ "outcome": "forbidden", "code": "policy_refused", "subject": "1", "session": refused }),
        ),
        event("refused", json!({ "outcome": "invalid", "code": "token_malformed", "session": forged })),
        event("cross_origin_refused", json!({ "session": refused })),
        event("signed_out", json!({ "subject": "1", "session": refused })),
        event("refused", json!({ "outcome": "absent", "code": "session_absent" })),
        event("revoked", json!({ "what": "token", "by": "webhook", "stored": true, "session": revoked })),
        event("revoked", json!({ "what": "session", "by": "webhook", "stored": true })),
        event("revoked", json!({ "what": "subject", "by": "webhook", "stored": true, "subject": "8" })),
        event("revocation_refused", json!({ "code": "signature_malformed" })),
        // The hash of the message and that of the token are the same.
        event("refused", json!({ "outcome": "invalid", "code": "session_revoked", "session": revoked })),
        event("sign_in_limited", json!({ "by": "address" })),
    ];
    let text = format!("{:?}", events.all()).to_lowercase();
    for word in ["demo", "grace", "example.com", "/protected"] {
        assert!(!text.contains(word), "{word} in {text}");
    }
    (seen, expected)
}

fn is_hash(hash: &Value) -> bool {
    hash.as_str().is_some_and(|hash| hash.len() == 32 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The upstream fails and comes back. The events, and how many stale sessions the metrics counted.
async fn outage() -> (Vec<Value>, usize) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let (upstream, events) = (upstream().await, Events::default());
    let builder =
        Auth::builder().upstream_base_url(upstream.url()).upstream_circuit_breaker(2).upstream_retries(0);
    let builder =
        builder.session_cache(Duration::from_millis(50)).session_stale_if_error(Duration::from_secs(60));
    let auth = builder.observer(events.observer()).build().unwrap();
    let (_app, browser) = start(&auth).await;
    let cookie = upstream.cookie(&json!({ "sub": "7", "id": "7", "name": "Grace" }));
    let ask = async || {
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert_eq!(browser.get_with("/session", &[("cookie", &cookie)]).await.status, 200);
    };
    ask().await;
    upstream.set_fault(Some(Fault::Refused)).await.unwrap();
    for _ in 0..4 {
        ask().await;
    }
    upstream.set_fault(None).await.unwrap();
    let began = Instant::now();
    while !events.names().contains(&"circuit_closed") {
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", events.names());
        ask().await;
    }
    auth.events_delivered().await;
    let counted = recorder.handle().render();
    let stale =
        counted.lines().filter(|line| line.contains("session_lookups_total") && line.contains("\"stale\""));
    (events.json(), stale.map(|line| line.rsplit_once(' ').unwrap().1.parse::<usize>().unwrap()).sum())
}

/// The store fails and comes back, twice. `begins_lost`: the first call of the process fails already.
async fn store_loss(begins_lost: bool) -> Vec<Value> {
    let (upstream, store, events) = (upstream().await, SharedStore::default(), Events::default());
    let builder = Auth::builder().upstream_base_url(upstream.url()).session_cache(Duration::from_secs(60));
    let auth = builder.session_store(store.clone()).observer(events.observer()).build().unwrap();
    let (_app, browser) = start(&auth).await;
    let ask = async |user: usize| {
        let cookie = upstream.cookie(&json!({ "sub": user.to_string(), "name": "Grace" }));
        assert_eq!(browser.get_with("/session", &[("cookie", &cookie)]).await.status, 200);
    };
    for round in 0..2 {
        if round > 0 || !begins_lost {
            ask(10 * round).await;
        }
        store.go_down();
        for user in 1..4 {
            ask(10 * round + user).await;
        }
        store.come_back();
        ask(10 * round + 4).await;
        ask(10 * round + 5).await;
    }
    auth.events_delivered().await;
    events.json()
}

/// Sends requests without a session, without sockets.
async fn flood(app: &Router, requests: usize) {
    for _ in 0..requests {
        let request = Request::get("/protected").body(Body::empty()).unwrap();
        assert_eq!(app.clone().oneshot(request).await.unwrap().status(), 401);
    }
}

#[tokio::test]
async fn events_of_a_recorded_run_are_what_was_done() {
    let (seen, expected) = visits().await;
    assert_eq!(seen, expected);
}

/// The revocation is carried out even if its sender does not wait for the answer.
#[tokio::test]
async fn revocation_whose_sender_hangs_up_has_an_event() {
    let (upstream, events) = (upstream().await, Events::default());
    let store = SharedStore::telling_ends().revoking_in(Duration::from_millis(300));
    let builder = Auth::builder().upstream_base_url(upstream.url()).upstream_secret([upstream.secret()]);
    let builder = builder.session_store(store.clone()).public_url("http://app.test");
    let builder = builder.session_revocation(RevocationList::Store).revocation_webhook_secret([SECRET]);
    let auth = builder.observer(events.observer()).build().unwrap();
    let body = json!({ "subject": "7" }).to_string();
    let request = Request::post("/api/auth/_revoke")
        .header("host", "app.test")
        .header("x-auth-proxy-signature", signature(SECRET, now(), body.as_bytes()));
    let answer = routes(&auth).oneshot(request.body(Body::from(body)).unwrap());
    assert!(
        tokio::time::timeout(Duration::from_millis(50), answer).await.is_err(),
        "it was answered at once"
    );
    assert!(settles(|| store.revocations() == 1).await);
    assert!(settles(|| !events.json().is_empty()).await);
    let expected =
        json!({ "event": "revoked", "subject": "7", "what": "subject", "by": "webhook", "stored": true });
    assert_eq!(events.json(), [expected]);
}

#[tokio::test]
async fn outage_has_an_event_for_each_stale_session_and_each_change_of_the_breaker() {
    let (seen, stale) = outage().await;
    let session = &seen[0]["session"];
    let mut of_stale = event("stale_session_used", json!({ "subject": "7" }));
    of_stale["session"] = session.clone();
    assert!(is_hash(session) && stale >= 4, "{seen:#?}");
    assert_eq!(seen.iter().filter(|event| **event == of_stale).count(), stale, "{seen:#?}");
    let rest: Vec<_> = seen.iter().filter(|event| **event != of_stale).collect();
    assert_eq!(rest, [&json!({ "event": "circuit_opened" }), &json!({ "event": "circuit_closed" })]);
}

#[tokio::test]
async fn loss_and_return_of_the_store_have_one_event_each() {
    let lost = json!({ "event": "store_lost", "error": "failed" });
    let back = json!({ "event": "store_back" });
    for begins_lost in [false, true] {
        let expected = [&lost, &back, &lost, &back];
        assert_eq!(store_loss(begins_lost).await.iter().collect::<Vec<_>>(), expected, "{begins_lost}");
    }
}

#[tokio::test]
async fn client_is_the_one_that_a_trusted_proxy_names() {
    let upstream = upstream().await;
    for (trusted, client) in [(&[][..], CLIENT), (&["127.0.0.0/8"], "203.0.113.9")] {
        let events = Events::default();
        let builder = Auth::builder().upstream_base_url(upstream.url()).trusted_proxies(trusted);
        let auth = builder.observer(events.observer()).build().unwrap();
        let (_app, browser) = start(&auth).await;
        let forwarded = [("x-forwarded-for", "198.51.100.1, 203.0.113.9")];
        assert_eq!(browser.get_with("/protected", &forwarded).await.status, 401);
        // Without the address of the peer, the header counts for nothing.
        let request = Request::get("/protected").header("x-forwarded-for", "203.0.113.9");
        let request = request.header("host", "localhost").body(Body::empty()).unwrap();
        assert_eq!(routes(&auth).oneshot(request).await.unwrap().status(), 401);
        auth.events_delivered().await;
        let fields = json!({ "event": "refused", "outcome": "absent", "code": "session_absent" });
        let mut known = fields.clone();
        known["client"] = json!(client);
        assert_eq!(events.json(), [known, fields]);
    }
}

/// An observer that takes nothing until it is told to.
#[tokio::test]
async fn flood_before_a_blocked_observer_is_answered_and_what_is_lost_is_counted() {
    let (log, upstream, gate) = (LogCapture::start(), upstream().await, Arc::new(Barrier::new(2)));
    let (sender, received) = mpsc::channel();
    let blocks = Arc::clone(&gate);
    let mut has_blocked = false;
    let observer = move |event: Event| {
        if !std::mem::replace(&mut has_blocked, true) {
            blocks.wait();
        }
        sender.send(event.kind).unwrap();
    };
    let auth = Auth::builder().upstream_base_url(upstream.url()).observer(observer).build().unwrap();
    let router = routes(&auth);
    flood(&router, 5_000).await;
    // The flood does not hide a sign-in.
    let (_app, browser) = start(&auth).await;
    browser.sign_in("demo", "demo").await;
    flood(&router, 1_000).await;
    gate.wait();
    auth.events_delivered().await;
    let kinds: Vec<EventKind> = received.try_iter().collect();
    let named = |name: &str| kinds.iter().filter(|kind| kind.name() == name).count();
    let dropped = |kind: &EventKind| if let EventKind::Dropped { count, .. } = kind { *count } else { 0 };
    let dropped = usize::try_from(kinds.iter().map(dropped).sum::<u64>()).unwrap();
    assert_eq!((named("refused") + dropped, named("signed_in")), (6_000, 1));
    // One is with the observer, or still waits.
    assert!((3_072..=3_073).contains(&named("refused")), "{}", named("refused"));
    assert!(named("dropped") >= 1);
    assert_eq!(log.times("the observer is too slow"), 1);
    // From now on none is lost.
    flood(&router, 100).await;
    auth.events_delivered().await;
    assert_eq!(received.try_iter().filter(|kind| kind.name() == "refused").count(), 100);
}

#[tokio::test]
async fn slow_observer_slows_no_request() {
    let (upstream, events) = (upstream().await, Events::default());
    let mut inner = events.observer();
    let slow = move |event: Event| {
        std::thread::sleep(Duration::from_millis(100));
        auth_proxy::audit::Observer::observe(&mut inner, event);
    };
    let auth = Auth::builder().upstream_base_url(upstream.url()).observer(slow).build().unwrap();
    let began = Instant::now();
    flood(&routes(&auth), 50).await;
    assert!(began.elapsed() < Duration::from_secs(3), "the observer needs 5 s: {:?}", began.elapsed());
    auth.events_delivered().await;
    assert_eq!(events.names(), ["refused"; 50]);
}

thread_local! {
    /// The log of an observer's thread.
    static LOG: RefCell<Option<LogCapture>> = const { RefCell::new(None) };
}

#[tokio::test]
async fn observer_that_panics_gets_the_next_event_and_is_logged_once() {
    let (upstream, (sender, received)) = (upstream().await, mpsc::channel());
    let mut seen = 0;
    let observer = move |_: Event| {
        seen += 1;
        LOG.with_borrow_mut(|log| {
            let log = log.get_or_insert_with(LogCapture::start);
            sender.send((seen, log.times("the observer panicked"))).unwrap();
        });
        assert!(seen > 3, "the observer panics");
    };
    let auth = Auth::builder().upstream_base_url(upstream.url()).observer(observer).build().unwrap();
    flood(&routes(&auth), 5).await;
    auth.events_delivered().await;
    let all: Vec<(usize, usize)> = received.try_iter().collect();
    assert_eq!(all, [(1, 0), (2, 1), (3, 1), (4, 1), (5, 1)]);
}

/// The thread of an observer ends with its proxy, and delivers what waits before that.
#[tokio::test]
async fn events_are_delivered_after_the_proxy_is_gone() {
    struct SetsOnDrop(Arc<AtomicBool>);
    impl Drop for SetsOnDrop {
        fn drop(&mut self) {
            self.0.store(true, SeqCst);
        }
    }
    let (upstream, events, is_dropped) =
        (upstream().await, Events::default(), Arc::new(AtomicBool::new(false)));
    let (mut inner, of_observer) = (events.observer(), SetsOnDrop(Arc::clone(&is_dropped)));
    let observer = move |event: Event| {
        let _ = &of_observer;
        std::thread::sleep(Duration::from_millis(20));
        auth_proxy::audit::Observer::observe(&mut inner, event);
    };
    let auth = Auth::builder().upstream_base_url(upstream.url()).observer(observer).build().unwrap();
    flood(&routes(&auth), 10).await;
    drop(auth);
    assert!(settles(|| is_dropped.load(SeqCst)).await);
    assert_eq!(events.names(), ["refused"; 10]);
}

/// Better Auth clears its cookies at each sign-out, whether there was a session or not.
#[tokio::test]
async fn sign_out_without_a_session_token_has_no_event_and_no_count() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let clears = Router::new().fallback(|| async {
        (
            [("set-cookie", "better-auth.session_token=; Max-Age=0; Path=/")],
            axum::Json(json!({ "success": true })),
        )
    });
    let events = Events::default();
    let builder = Auth::builder().upstream_base_url("http://auth").upstream_fetch(clears);
    let builder = builder.upstream_kind(UpstreamKind::BetterAuth).public_url("http://app.test");
    let auth = builder.observer(events.observer()).build().unwrap();
    let (_app, browser) = start(&auth).await;
    for (cookie, expected) in
        [("x=y", 0), ("better-auth.session_token=", 0), ("better-auth.session_token=a.b", 1)]
    {
        let answer = browser.post_with("/api/auth/sign-out", &[], &[("cookie", cookie)]).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        auth.events_delivered().await;
        assert_eq!(events.names(), vec!["signed_out"; expected], "{cookie}");
    }
    assert!(recorder.handle().render().contains("sign_outs_total 1"), "{}", recorder.handle().render());
}

/// Apple posts the visitor's browser to the callback (`response_mode: form_post`). That is no form of the app, which posts a
/// password to the same route.
#[tokio::test]
async fn post_from_the_page_of_a_provider_is_a_callback() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let signs_in = Router::new().fallback(|request: Request| async move {
        let cookie = format!("authjs.session-token=token-of{}", request.uri().path().replace('/', "-"));
        ([("set-cookie", format!("{cookie}; Path=/; HttpOnly"))], "{}")
    });
    let events = Events::default();
    let builder = Auth::builder().upstream_base_url("http://auth").upstream_fetch(signs_in);
    let builder = builder.public_url("http://app.test").cors_origins(["https://partner.example"]);
    let auth = builder.observer(events.observer()).build().unwrap();
    let (app, _browser) = start(&auth).await;
    for headers in [
        &[("origin", "https://appleid.apple.com"), ("sec-fetch-site", "cross-site")][..],
        &[("origin", "https://appleid.apple.com")],
        &[("origin", "null"), ("sec-fetch-site", "cross-site")],
        &[("origin", "https://partner.example"), ("sec-fetch-site", "cross-site")],
        &[("origin", "http://app.test"), ("sec-fetch-site", "same-origin")],
        &[("origin", "http://app.test")],
        &[],
    ] {
        // Without a cookie of the request before.
        let answer = Browser::of(&app).post_with("/api/auth/callback/apple", &[], headers).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    auth.events_delivered().await;
    let by: Vec<_> = events.json().iter().map(|event| event["by"].clone()).collect();
    assert_eq!(by, ["callback", "callback", "callback", "form", "form", "form", "form"]);
    let counted = recorder.handle().render();
    assert!(counted.contains("sign_ins_total{kind=\"callback\"} 3"), "{counted}");
    assert!(counted.contains("sign_ins_total{kind=\"form\"} 4"), "{counted}");
}

/// next-auth v4 reads only the first segment of this path, and renews the cookie.
#[tokio::test]
async fn session_route_with_another_segment_is_no_sign_in_at_next_auth_v4() {
    let renews = Router::new().fallback(|| async {
        let cookie = "next-auth.session-token=bbbb; Path=/; HttpOnly";
        (
            [("set-cookie", cookie)],
            axum::Json(json!({ "user": { "name": "Ada" }, "expires": "2099-01-01T00:00:00Z" })),
        )
    });
    let events = Events::default();
    let builder = Auth::builder().upstream_base_url("http://auth").upstream_fetch(renews);
    let builder = builder.upstream_kind(UpstreamKind::NextAuthV4).public_url("http://app.test");
    let auth = builder.observer(events.observer()).build().unwrap();
    let (_app, browser) = start(&auth).await;
    for path in ["/api/auth/session", "/api/auth/session/x", "/api/auth/session/x/y"] {
        let cookie = [("cookie", "next-auth.session-token=aaaa")];
        assert_eq!(browser.get_with(path, &cookie).await.status, 200);
        auth.events_delivered().await;
        assert_eq!(events.names(), [""; 0], "{path}");
    }
}

/// A client chooses its headers, its path and its token. None of them is in an event, except as a hash.
#[tokio::test]
async fn events_have_nothing_of_the_credentials_and_paths_of_a_client() {
    let (upstream, events) = (upstream().await, Events::default());
    let builder = Auth::builder().upstream_base_url(upstream.url()).upstream_secret([upstream.secret()]);
    let auth = builder.observer(events.observer()).build().unwrap();
    let (_app, browser) = start(&auth).await;
    let secret = "a-secret-that-a-client-sends";
    watch::secret(secret);
    for header in [
        ("cookie", format!("{COOKIE_NAME}={secret}")),
        ("cookie", format!("{COOKIE_NAME}.0={secret}; {COOKIE_NAME}.1={secret}")),
        ("authorization", format!("Bearer {secret}")),
        ("authorization", format!("Basic {secret}")),
        ("x-forwarded-for", secret.to_owned()),
        ("user-agent", secret.to_owned()),
    ] {
        let header = [(header.0, header.1.as_str())];
        assert_eq!(browser.get_with(&format!("/protected?code={secret}"), &header).await.status, 401);
        browser.post_with(&format!("/api/auth/signout?x={secret}"), &[("csrfToken", secret)], &header).await;
    }
    auth.events_delivered().await;
    let text = format!("{:?}{}", events.all(), json!(events.json()));
    assert!(events.names().len() >= 6 && !text.contains(secret), "{text}");
}

#[tokio::test]
async fn guide_lists_every_event_with_its_fields() {
    let guide = include_str!("../../../auth-proxy/docs/guide/audit.md");
    let code =
        |cell: &str| -> Vec<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let mut listed = BTreeMap::new();
    for row in guide.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.split('|').collect();
        if cells.len() == 5 {
            let fields: BTreeSet<String> = code(cells[2]).into_iter().collect();
            listed.insert(code(cells[1])[0].clone(), fields);
        }
    }
    let mut all = [visits().await.0, outage().await.0, store_loss(false).await].concat();
    // `dropped` has its own test, and needs a slow observer.
    all.push(json!({ "event": "dropped", "count": 1 }));
    let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for event in &all {
        let fields = event.as_object().unwrap().keys().filter(|name| *name != "event").cloned();
        seen.entry(event["event"].as_str().unwrap().to_owned()).or_default().extend(fields);
    }
    assert_eq!(listed, seen);
    for field in seen.values().flatten().chain(["at", "event", "proxy"].map(str::to_owned).iter()) {
        assert!(guide.contains(&format!("\n| `{field}` |")), "the field {field} is not explained");
    }
}
