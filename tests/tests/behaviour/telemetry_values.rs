//! The values of span fields and of labels: each that the guide lists occurs, and no other.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use auth_proxy::auth_proxy;
use auth_proxy::options::{RevocationList, TokenFormat, UpstreamKind};
use auth_proxy::store::{Entry, NotConnected, Put, SessionKey, SessionStore, StoreFuture};
use auth_proxy::testing::{FakeUpstream, Fault};
use auth_proxy_tests::{App, Browser, SharedStore, SpanCapture, loopback_client};
use axum::Router;
use axum::routing::get;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::json;

use crate::revoke_route::{SECRET, revoke, token_hash};
use crate::support::{Auth, app_of, upstream};

auth_proxy! {
    /// An app for tokens of an issuer.
    struct Machines {
        upstream: { kind: generic, issuer: "https://issuer.example", audience: "api" },
        jwks: { url: env("JWKS_URL") },
    }
}

/// A store without a connection, or one that never answers.
struct Unanswering {
    hangs: bool,
}

impl SessionStore for Unanswering {
    fn get<'a>(&'a self, _: &'a SessionKey) -> StoreFuture<'a, Entry> {
        let hangs = self.hangs;
        Box::pin(async move {
            if hangs {
                std::future::pending::<()>().await;
            }
            Err(NotConnected.into())
        })
    }

    fn put(&self, _: Put) -> StoreFuture<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn end<'a>(&'a self, _: &'a [SessionKey], _: Duration) -> StoreFuture<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}

/// Sign-ins, guards, revocations, and the store that two instances share.
async fn visits() {
    let (upstream, store) = (upstream().await, SharedStore::telling_ends());
    let builder = || {
        let builder = Auth::builder().upstream_base_url(upstream.url()).upstream_secret([upstream.secret()]);
        let builder = builder.session_cache(Duration::from_secs(60)).session_store(store.clone());
        let builder = builder.session_revocation(RevocationList::Store).revocation_webhook_secret([SECRET]);
        builder.public_url("http://app.test").sign_in_limit_per_ip("100/1m")
    };
    let (app, browser) = app_of(builder()).await;
    let (_other_app, other) = app_of(builder()).await;
    assert_eq!(browser.get("/protected").await.status, 401);
    browser.sign_in("demo", "demo").await;
    assert_eq!(browser.get("/admin").await.status, 403);
    let forged = [("cookie", "authjs.session-token=aaaa..bbbb.cccc.dddd")];
    assert_eq!(browser.get_with("/protected", &forged).await.status, 401);
    loopback_client().delete(app.url("/api/auth/csrf")).send().await.unwrap();
    let cookie = upstream.cookie(&json!({ "sub": "7", "name": "Grace" }));
    for browser in [&browser, &browser, &other] {
        assert_eq!(browser.get_with("/session", &[("cookie", &cookie)]).await.status, 200);
    }
    builder().build().unwrap().check().await;
    let token = json!({ "token_hash": token_hash("token") });
    for message in [token, json!({ "session": "s" }), json!({ "subject": "8" })] {
        assert_eq!(revoke(&app, message).await.0, 204);
    }
    store.go_down();
    revoke(&app, json!({ "session": "t" })).await;
    store.come_back();
    browser.sign_out().await;
}

/// A provider leads to a callback, whose answer has a session.
async fn callback() {
    let router = Router::new().fallback(|| async {
        ([("set-cookie", "authjs.session-token=bbbb; Path=/; HttpOnly")], "signed in")
    });
    let builder = Auth::builder().upstream_base_url("http://auth").upstream_fetch(router);
    let (_app, browser) = app_of(builder.public_url("http://app.test")).await;
    browser.get("/api/auth/callback/github?code=one-time").await;
}

/// The upstream fails, and does not come back.
async fn outage() {
    let upstream = upstream().await;
    let builder = Auth::builder().upstream_base_url(upstream.url()).upstream_circuit_breaker(1);
    let builder =
        builder.session_cache(Duration::from_millis(10)).session_stale_if_error(Duration::from_secs(60));
    let (_app, browser) = app_of(builder.upstream_retries(0)).await;
    let cookie = |user: &str| upstream.cookie(&json!({ "sub": user, "name": user }));
    let ask = async |cookie: &str| browser.get_with("/session", &[("cookie", cookie)]).await;
    let ada = cookie("ada");
    assert_eq!(ask(&ada).await.status, 200);
    // A client might have caused this failure, so a health check follows.
    upstream.set_fault(Some(Fault::Overloaded)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert_eq!(ask(&ada).await.status, 200, "a stale session");
    let opens = async {
        while ask(&cookie("bob")).await.code() != "circuit_open" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), opens).await.unwrap();
}

/// Stores that fail in each way.
async fn stores() {
    let upstream = upstream().await;
    for hangs in [false, true] {
        let builder =
            Auth::builder().upstream_base_url(upstream.url()).session_cache(Duration::from_secs(60));
        let builder = builder.session_store(Unanswering { hangs }).upstream_timeout(Duration::from_secs(2));
        let (_app, browser) = app_of(builder).await;
        let cookie = upstream.cookie(&json!({ "sub": "1", "name": "Ada" }));
        assert_eq!(browser.get_with("/session", &[("cookie", &cookie)]).await.status, 200);
    }
}

/// The same token twice: the second time the keys are there.
async fn keys() {
    let set = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    let issuer = App::start(Router::new().route("/keys", get(move || async move { set }))).await;
    let auth = Machines::builder().jwks_url(issuer.url("/keys")).build().unwrap();
    let router = Router::new().route("/", get(|| async { "ok" })).route_layer(auth.require_any_session());
    let app = App::start(router).await;
    let [header, claims] = [json!({ "alg": "EdDSA", "kid": "a" }), json!({ "sub": "1" })]
        .map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.to_string()));
    let signature = BASE64_URL_SAFE_NO_PAD.encode([1; 64]);
    for _ in 0..2 {
        let token = format!("Bearer {header}.{claims}.{signature}");
        assert_eq!(Browser::of(&app).get_with("/", &[("authorization", &token)]).await.status, 401);
    }
}

/// Better Auth keeps a copy of the session in a second cookie.
async fn copy_in_a_cookie() {
    let upstream = FakeUpstream::builder()
        .better_auth()
        .cookie_cache(TokenFormat::Compact, Duration::from_secs(300))
        .start()
        .await
        .unwrap();
    let builder = Auth::builder().upstream_kind(UpstreamKind::BetterAuth).upstream_base_url(upstream.url());
    let (_app, browser) = app_of(builder.upstream_secret([upstream.secret()])).await;
    let cookie = upstream.cookie(&json!({ "sub": "1", "name": "Ada", "email": "ada@example.com" }));
    assert_eq!(browser.get_with("/session", &[("cookie", &cookie)]).await.status, 200);
}

/// The words in the rows of the guide that begin like this.
fn listed(start: &str) -> BTreeSet<String> {
    let guide = include_str!("../../../auth-proxy/docs/guide/telemetry.md");
    let rows = guide.lines().filter(|line| line.starts_with(start) && line.matches(" | ").count() == 1);
    let values = rows.filter_map(|row| row.split(" | ").nth(1));
    let words = values.flat_map(|values| values.split('`').skip(1).step_by(2));
    let is_word = |word: &&str| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    words.filter(is_word).map(str::to_owned).collect()
}

#[tokio::test]
async fn guide_lists_every_value_of_fields_and_labels() {
    let (recorder, spans) = (PrometheusBuilder::new().build_recorder(), SpanCapture::start());
    let _guard = metrics::set_default_local_recorder(&recorder);
    visits().await;
    callback().await;
    outage().await;
    stores().await;
    keys().await;
    copy_in_a_cookie().await;
    let mut labels: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in recorder.handle().render().lines().filter(|line| !line.starts_with('#')) {
        let Some((metric, rest)) = line.split_once('{') else { continue };
        let pairs = rest.split_once('}').unwrap().0.split(',').filter_map(|pair| pair.split_once('='));
        for (name, value) in pairs {
            let name = if name == "kind" { format!("kind of {metric}") } else { name.to_owned() };
            labels.entry(name).or_default().insert(value.trim_matches('"').to_owned());
        }
    }
    let field = |name: &str| -> BTreeSet<String> {
        let spans = spans.all().into_iter();
        spans.filter_map(|span| Some(span.fields.get(name)?.to_owned())).collect()
    };
    for (row, seen) in [
        ("| `auth.source` |", &field("auth.source")),
        ("| `auth.request` |", &field("auth.request")),
        ("| `auth.request` |", &labels["request"]),
        ("| `db.operation.name` |", &field("db.operation.name")),
        ("| `operation` |", &labels["operation"]),
        ("| `cache` |", &labels["cache"]),
        ("| `result` |", &labels["result"]),
        ("| `kind` of a sign-in |", &labels["kind of auth_proxy_sign_ins_total"]),
        ("| `kind` of a revocation |", &labels["kind of auth_proxy_revocations_total"]),
    ] {
        assert_eq!(listed(row), *seen, "{row}");
    }
    let mut outcomes = listed("| `auth.outcome` |");
    let of_spans = field("auth.outcome");
    assert!(of_spans.is_subset(&outcomes) && of_spans.len() >= 3, "{of_spans:?}");
    outcomes.insert("answered".to_owned());
    assert_eq!(outcomes, labels["outcome"]);
    let mut sources = listed("| `auth.source` |");
    assert!(sources.remove("token"), "only spans of tokens have it");
    assert_eq!(sources, labels["source"]);
}
