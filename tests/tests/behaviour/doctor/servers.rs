//! The fakes of each family, the store, the clock and published keys.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_proxy::doctor::Deployment;
use auth_proxy::options::{Expected, SessionStrategy, TokenFormat, UpstreamKind};
use auth_proxy::store::{Entry, Put, SessionKey, SessionStore, StoreFuture};
use auth_proxy::testing::FakeUpstream;
use auth_proxy_tests::doctor::{assert_silent, change, codes, unchecked};
use auth_proxy_tests::{App, SharedStore, free_port};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;

use super::{APP, Machines, WithoutHeaders, before, check};
use crate::support::Auth;

#[tokio::test]
async fn fakes_of_every_kind_are_silent() {
    for strategy in [SessionStrategy::Jwt, SessionStrategy::Database] {
        let robo = FakeUpstream::builder().robo().strategy(strategy).start().await.unwrap();
        let builder = before(&robo).upstream_kind(UpstreamKind::Robo).upstream_session_strategy(strategy);
        let report = check(builder).await;
        assert_silent(&report, "robo");
        assert_eq!((report.server(), report.deployment()), (Some("Robo.js"), Some(Deployment::FrontDoor)));
        let authjs = FakeUpstream::builder().strategy(strategy).start().await.unwrap();
        let builder = before(&authjs).upstream_kind(UpstreamKind::Authjs).upstream_session_strategy(strategy);
        assert_silent(&check(builder).await, "authjs");
        // Without a kind both are right.
        for upstream in [&robo, &authjs] {
            assert_silent(&check(before(upstream).upstream_session_strategy(strategy)).await, "no kind");
        }
    }
    let better = FakeUpstream::builder().better_auth().start().await.unwrap();
    let builder = before(&better).upstream_kind(UpstreamKind::BetterAuth).upstream_secret([better.secret()]);
    assert_silent(&check(builder).await, "better_auth");
    let robo = FakeUpstream::builder().robo().start().await.unwrap();
    let decoding = before(&robo).upstream_kind(UpstreamKind::Robo).upstream_secret([robo.secret()]);
    assert_silent(&check(decoding).await, "robo with its secret");
}

/// A server with another strategy, or with other tokens, gives the same answers before a sign-in. Every session would be
/// invalid, so the report lists what was not checked.
#[tokio::test]
async fn strategy_and_form_of_tokens_are_listed_as_not_checked() {
    let database = FakeUpstream::builder().strategy(SessionStrategy::Database).start().await.unwrap();
    let report = check(before(&database).upstream_secret([database.secret()])).await;
    assert_eq!((codes(&report).len(), unchecked(&report)), (0, vec!["session_strategy"]), "{report}");
    let advice = report.unchecked()[0].reason();
    assert!(advice.contains("write `upstream.session_strategy: database`, and remove `upstream.secret`"));
    let encrypted = FakeUpstream::start().await.unwrap();
    let database = before(&encrypted).upstream_session_strategy(SessionStrategy::Database);
    let report = check(database).await;
    assert_eq!(unchecked(&report), ["session_strategy"], "{report}");
    assert!(report.unchecked()[0].reason().contains("then remove `upstream.session_strategy`"), "{report}");
    let signed = before(&encrypted)
        .upstream_secret([encrypted.secret()])
        .upstream_token(TokenFormat::Hs256)
        .upstream_audience(Expected::Any)
        .upstream_issuer(Expected::Any);
    let report = check(signed).await;
    assert_eq!(unchecked(&report), ["session_strategy", "token"], "{report}");
    assert!(report.unchecked()[1].reason().contains("then remove `upstream.token`"), "{report}");
}

#[tokio::test]
async fn robo_and_auth_js_are_told_apart() {
    let robo = FakeUpstream::builder().robo().start().await.unwrap();
    let advice = change(&check(before(&robo).upstream_kind(UpstreamKind::Authjs)).await, "kind_wrong");
    assert_eq!(advice, "write `upstream.kind: robo`");
    let authjs = FakeUpstream::start().await.unwrap();
    let advice = change(&check(before(&authjs).upstream_kind(UpstreamKind::Robo)).await, "kind_wrong");
    assert_eq!(advice, "write `upstream.kind: authjs`");
}

#[tokio::test]
async fn wrong_secret_of_the_fakes_is_found() {
    let other = "wr0ng-9f8e7d6c5b4a39281706f5e4d3c2b1";
    auth_proxy_tests::watch::secret(other);
    let robo = FakeUpstream::builder().robo().start().await.unwrap();
    let builder = before(&robo).upstream_kind(UpstreamKind::Robo).upstream_secret([other]);
    assert_eq!(codes(&check(builder).await), ["secret_wrong"]);
    let better = FakeUpstream::builder().better_auth().start().await.unwrap();
    let builder = before(&better).upstream_kind(UpstreamKind::BetterAuth).upstream_secret([other]);
    assert_eq!(codes(&check(builder).await), ["secret_wrong"]);
}

/// Without the origin of the app, what depends on it is left open, and nothing is found.
#[tokio::test]
async fn unknown_origin_leaves_the_callback_urls_open() {
    let upstream = FakeUpstream::start().await.unwrap();
    let report = Auth::builder().upstream_base_url(upstream.url()).build().unwrap().check().await;
    assert!(codes(&report).is_empty() && report.is_ok(), "{report}");
    assert_eq!(unchecked(&report), ["session_strategy", "callback_urls"], "{report}");
    assert!(
        report.to_string().contains("not checked: callback_urls: the origin of this app is not known"),
        "{report}"
    );
    let by_hosts =
        Auth::builder().upstream_base_url(upstream.url()).hosts(["app.example.com"]).build().unwrap();
    assert_silent(&by_hosts.check().await, "hosts");
    let behind_tls = Auth::builder().upstream_base_url(upstream.url()).hosts(["app.example.com"]);
    let behind_tls = behind_tls.trusted_proxies(["10.0.0.0/8"]).build().unwrap();
    assert_silent(&behind_tls.check().await, "hosts and a proxy with TLS");
    let told = upstream.seen().last().unwrap().headers["x-forwarded-proto"].clone();
    assert_eq!(told, "https", "TLS ends at a trusted proxy");
}

#[tokio::test]
async fn difference_of_clocks_is_found() {
    let upstream = FakeUpstream::start().await.unwrap();
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    for (offset, code) in
        [(0_i64, None), (10, None), (-120, Some("clock_differs")), (3600, Some("clock_wrong"))]
    {
        let builder = before(&upstream).clock(move || now().saturating_add_signed(offset));
        let report = check(builder).await;
        assert_eq!(codes(&report), code.into_iter().collect::<Vec<_>>(), "{report}");
        if let Some(finding) = report.findings().first() {
            let direction = if offset < 0 { "ahead of" } else { "behind" };
            assert!(finding.evidence().contains(direction), "{report}");
        }
    }
}

/// A store whose reads fail, or never end.
struct FailingStore {
    hangs: bool,
}

impl SessionStore for FailingStore {
    fn get<'a>(&'a self, _: &'a SessionKey) -> StoreFuture<'a, Entry> {
        let hangs = self.hangs;
        Box::pin(async move {
            if hangs {
                std::future::pending::<()>().await;
            }
            Err("wrong password of the cache".into())
        })
    }

    fn put(&self, _: Put) -> StoreFuture<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn end<'a>(&'a self, _: &'a [SessionKey], _: Duration) -> StoreFuture<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}

#[tokio::test]
async fn store_that_fails_or_hangs_is_found() {
    let upstream = FakeUpstream::start().await.unwrap();
    let builder = || before(&upstream).session_cache(Duration::from_secs(30));
    assert_silent(&check(builder().session_store(SharedStore::default())).await, "works");
    for (hangs, seen) in [(false, "wrong password of the cache"), (true, "deadline")] {
        let report = check(builder().session_store(FailingStore { hangs })).await;
        assert_eq!(codes(&report), ["store_failed"], "{report}");
        assert!(report.is_ok() && report.findings()[0].evidence().contains(seen), "{report}");
    }
    let redis = auth_proxy::store::Redis::new(auth_proxy::store::RedisOptions::new(format!(
        "redis://:s3cret-of-redis@127.0.0.1:{}",
        free_port()
    )));
    auth_proxy_tests::watch::secret("s3cret-of-redis");
    let report = check(builder().session_store(redis.unwrap())).await;
    assert_eq!(codes(&report), ["store_failed"], "{report}");
    assert!(report.findings()[0].evidence().contains("not connected"), "{report}");
}

#[tokio::test]
async fn keys_of_an_issuer_are_checked() {
    let good = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    let unusable = r#"{"keys":[{"kty":"oct","alg":"HS256","kid":"a","k":"c2VjcmV0"}]}"#;
    let app = App::start(
        Router::new()
            .route("/good", get(move || async move { good }))
            .route("/unusable", get(move || async move { unusable }))
            .route("/html", get(|| async { "<html>" })),
    )
    .await;
    for (path, expected) in [
        ("/good", &[][..]),
        ("/unusable", &["keys_unusable"]),
        ("/html", &["keys_unusable"]),
        ("/none", &["keys_not_fetched"]),
    ] {
        // The query may hold a key, and is not shown.
        let url = app.url(&format!("{path}?key=s3cret-of-keys"));
        let report = Machines::builder().jwks_url(url).build().unwrap().check().await;
        assert_eq!(codes(&report), expected, "{report}");
        assert!(!report.to_string().contains("s3cret-of-keys"), "{report}");
        assert!(report.unchecked().is_empty() && report.server().is_none(), "{report}");
    }
    let nobody = format!("http://127.0.0.1:{}/keys", free_port());
    let report = Machines::builder().jwks_url(nobody).build().unwrap().check().await;
    assert_eq!(codes(&report), ["keys_not_fetched"], "{report}");
    assert!(report.findings()[0].evidence().contains("Connection refused"), "{report}");
}

/// The keys in use do not change by a check, and a failed one does not put off the next fetch.
#[tokio::test]
async fn check_of_keys_leaves_those_in_use_alone() {
    let nobody = format!("http://127.0.0.1:{}/keys", free_port());
    let auth = Machines::builder().jwks_url(nobody).build().unwrap();
    assert_eq!(codes(&auth.check().await), ["keys_not_fetched"]);
    assert!(auth.health().degraded().is_empty(), "{:?}", auth.health());
}

#[tokio::test]
async fn check_sends_only_what_it_needs() {
    let upstream = FakeUpstream::builder().better_auth().start().await.unwrap();
    let builder =
        before(&upstream).upstream_kind(UpstreamKind::BetterAuth).upstream_secret([upstream.secret()]);
    assert_silent(&check(builder).await, "better_auth");
    let seen = upstream.seen();
    assert_eq!(seen.len(), 5, "{seen:?}");
    for request in &seen {
        assert_eq!(request.headers["x-api-key"], "k3y", "the configured headers are sent");
        assert_eq!(request.headers["host"], "localhost:3000", "the host is that of other requests");
        assert_eq!(request.headers["x-forwarded-proto"], "http");
        for name in ["authorization", "x-forwarded-for", "traceparent"] {
            assert!(!request.headers.contains_key(name), "{request:?}");
        }
        let origin = request.headers.get("origin").map(|origin| origin.to_str().unwrap());
        assert!(origin.is_none_or(|origin| origin == APP), "{request:?}");
    }
}

/// The limits that the guide names. Each server is asked as much as it can be.
#[tokio::test]
async fn check_asks_at_most_13_questions_and_33_more_to_find_a_wrong_address() {
    let authjs = FakeUpstream::start().await.unwrap();
    let robo = FakeUpstream::builder().robo().start().await.unwrap();
    for (upstream, kind) in [(&authjs, UpstreamKind::Authjs), (&robo, UpstreamKind::Robo)] {
        let builder = before(upstream).upstream_kind(kind).upstream_secret([upstream.secret()]);
        assert_silent(&check(builder).await, "right");
        assert_eq!(upstream.seen().len(), 4, "{kind}: {:?}", upstream.seen());
    }
    // Without a kind it is asked for the marks of both families. No secret fits, and the first may be copied wrong.
    let better = FakeUpstream::builder().better_auth().start().await.unwrap();
    let secrets = [
        " 'wr0ng-9f8e7d6c5b4a39281706f5e4d3c2b1' ",
        "wr0ng-2-9f8e7d6c5b4a39281706f5e4d3c2",
        "wr0ng-3-9f8e7d6c5b4a39281706f5e4d3c2",
    ];
    let secrets = secrets
        .into_iter()
        .chain(["wr0ng-4-9f8e7d6c5b4a39281706f5e4d3c2", "wr0ng-5-9f8e7d6c5b4a39281706f5e4d3c2"]);
    let report = check(before(&better).upstream_secret(secrets)).await;
    assert_eq!(codes(&report), ["kind_wrong", "secret_wrong"], "{report}");
    assert_eq!(better.seen().len(), 13, "{:?}", better.seen());
    // There is no login server, and neither path is a usual one.
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let nowhere = App::start(Router::new().fallback(move || {
        counter.fetch_add(1, SeqCst);
        async { StatusCode::NOT_FOUND }
    }))
    .await;
    let builder = WithoutHeaders::builder().upstream_base_url(nowhere.url("/tenant")).public_url(APP);
    let builder = builder.base_path("/login").upstream_base_path("/other");
    assert_eq!(codes(&builder.build().unwrap().check().await), ["login_not_found"]);
    // Three questions at the configured address, and the others elsewhere.
    assert_eq!(asked.load(SeqCst), 3 + 33);
}

/// Below another prefix may be another tenant's server: it gets no configured header.
#[tokio::test]
async fn configured_headers_stay_below_the_configured_prefix() {
    let upstream = FakeUpstream::start().await.unwrap();
    let url = format!("{}/tenant", upstream.url());
    let tenant = || WithoutHeaders::builder().upstream_base_url(&url).public_url(APP);
    assert_eq!(codes(&tenant().build().unwrap().check().await), ["base_path_wrong"]);
    let before = upstream.seen().len();
    let report = tenant().upstream_headers([("x-api-key", "key")]).build().unwrap().check().await;
    assert_eq!(codes(&report), ["login_not_found"]);
    let seen = upstream.seen().split_off(before);
    assert!(!seen.is_empty() && seen.iter().all(|seen| seen.uri.path().starts_with("/tenant/")), "{seen:?}");
}

/// A signature lets its reader try secrets. `/api/auth` begins with the letters of the prefix `/a`, and is not below it.
#[tokio::test]
async fn signatures_with_the_secret_stay_below_the_configured_prefix() {
    let upstream = FakeUpstream::builder().better_auth().start().await.unwrap();
    for prefix in ["/a", "/api/aut", "/tenant"] {
        let builder = WithoutHeaders::builder()
            .upstream_kind(UpstreamKind::BetterAuth)
            .upstream_base_url(format!("{}{prefix}", upstream.url()))
            .upstream_secret([upstream.secret()])
            .public_url(APP);
        let before = upstream.seen().len();
        let report = builder.build().unwrap().check().await;
        assert_eq!(codes(&report), ["base_path_wrong"], "{report}");
        assert!(unchecked(&report).contains(&"secret"), "{report}");
        let seen = upstream.seen().split_off(before);
        let cookies = seen.iter().filter_map(|seen| seen.headers.get("cookie")).map(|cookie| cookie.to_str());
        assert!(cookies.map(Result::unwrap).all(|cookie| !cookie.contains(".session_token=")), "{seen:?}");
    }
}
