//! Metrics: what is counted is what was asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use auth_proxy::metrics::{DURATION_BUCKETS, METRICS, MetricKind};
use auth_proxy::options::{RevocationList, SessionStrategy};
use auth_proxy::testing::Fault;
use auth_proxy_tests::{SharedStore, SpanCapture, settles};
use axum::Router;
use axum::extract::Request;
use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::IntoResponse;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::revoke_route::{SECRET, revoke};
use crate::support::{Auth, app_of, upstream};

/// A recorder for the metrics of this thread, which are those of a test.
pub(crate) fn recorder() -> (PrometheusRecorder, PrometheusHandle) {
    let builder = PrometheusBuilder::new();
    let durations = Matcher::Suffix("_duration_seconds".to_owned());
    let builder = builder.set_buckets_for_metric(durations, &DURATION_BUCKETS).unwrap();
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    (recorder, handle)
}

/// The value of each series.
pub(crate) fn samples(handle: &PrometheusHandle) -> BTreeMap<String, f64> {
    let text = handle.render();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let sample = |line: &str| {
        let (series, value) = line.rsplit_once(' ').unwrap();
        (series.strip_prefix("auth_proxy_").unwrap().to_owned(), value.parse().unwrap())
    };
    lines.map(sample).collect()
}

/// The sum of the series that begin with this text.
pub(crate) fn sum(samples: &BTreeMap<String, f64>, start: &str) -> f64 {
    samples.iter().filter(|(series, _)| series.starts_with(start)).map(|(_, value)| value).sum()
}

#[tokio::test]
async fn counters_equal_what_was_asked() {
    let (recorder, handle) = recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let (upstream, store) = (upstream().await, SharedStore::telling_ends());
    let builder = Auth::builder().upstream_base_url(upstream.url()).upstream_secret([upstream.secret()]);
    let builder =
        builder.session_cache(Duration::from_secs(60)).session_store(store).public_url("http://app.test");
    let builder = builder.session_revocation(RevocationList::Store).revocation_webhook_secret([SECRET]);
    let (app, browser) = app_of(builder.upstream_retries(0)).await;
    browser.sign_in("demo", "demo").await;
    for _ in 0..3 {
        assert_eq!(browser.get("/session").await.status, 200);
        assert_eq!(browser.get("/token").await.status, 200);
    }
    assert_eq!(browser.get("/protected").await.status, 200);
    assert_eq!(browser.get("/admin").await.code(), "policy_refused");
    let forged = [("cookie", "authjs.session-token=aaaa..bbbb.cccc.dddd")];
    assert_eq!(browser.get_with("/protected", &forged).await.status, 401);
    let refused = auth_proxy_tests::loopback_client().delete(app.url("/api/auth/csrf")).send().await.unwrap();
    assert_eq!(refused.status(), 405);
    assert_eq!(revoke(&app, json!({ "session": "other" })).await.0, 204);
    browser.sign_out().await;
    let seen = samples(&handle);
    for (series, expected) in [
        // `/session` three times and `/admin` once: the first asks the upstream, the others find it in memory.
        ("session_lookups_total{outcome=\"present\",code=\"none\",source=\"upstream\"}", 1.0),
        ("session_lookups_total{outcome=\"present\",code=\"none\",source=\"memory\"}", 3.0),
        ("session_lookup_duration_seconds_count{source=\"memory\"}", 3.0),
        ("upstream_requests_total{request=\"lookup\",status=\"2xx\",error=\"none\"}", 1.0),
        ("upstream_request_duration_seconds_count{request=\"lookup\"}", 1.0),
        ("cache_total{cache=\"session\",result=\"hit\"}", 3.0),
        ("cache_total{cache=\"session\",result=\"miss\"}", 1.0),
        ("cache_total{cache=\"store\",result=\"miss\"}", 1.0),
        ("guard_decisions_total{outcome=\"present\",code=\"none\"}", 1.0),
        ("guard_decisions_total{outcome=\"forbidden\",code=\"policy_refused\"}", 1.0),
        ("forwarded_requests_total{outcome=\"bad_request\",code=\"method_not_allowed\"}", 1.0),
        ("sign_ins_total{kind=\"form\"}", 1.0),
        ("sign_outs_total", 1.0),
        ("revocations_total{kind=\"session\",result=\"stored\"}", 1.0),
        // For the token of the browser, and for the one that the upstream renewed it to.
        ("store_calls_total{operation=\"get\",result=\"ok\"}", 2.0),
        ("store_calls_total{operation=\"put\",result=\"ok\"}", 2.0),
        ("lookups_in_flight", 0.0),
    ] {
        assert_eq!(seen.get(series), Some(&expected), "{series} in {seen:#?}");
    }
    assert_eq!(sum(&seen, "session_lookups_total"), 4.0, "{seen:#?}");
    assert_eq!(sum(&seen, "guard_decisions_total{outcome=\"invalid\""), 1.0);
    assert_eq!(sum(&seen, "upstream_requests_total{request=\"lookup\""), upstream.lookups() as f64);
    let hits = seen["cache_total{cache=\"token\",result=\"hit\"}"];
    let misses = seen["cache_total{cache=\"token\",result=\"miss\"}"];
    assert_eq!(hits + misses, sum(&seen, "token_verifications_total"), "{seen:#?}");
    assert_eq!(
        sum(&seen, "forwarded_requests_total{outcome=\"answered\""),
        sum(&seen, "upstream_requests_total{request=\"forward\"")
    );
    assert_eq!(sum(&seen, "upstream_retries_total"), 0.0);
}

#[tokio::test]
async fn dropped_proxy_lowers_the_gauge_of_its_open_breaker() {
    let (recorder, handle) = recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let upstream = upstream().await;
    upstream.set_fault(Some(Fault::Refused)).await.unwrap();
    let builder =
        Auth::builder().upstream_base_url(upstream.url()).upstream_circuit_breaker(1).upstream_retries(0);
    let auth = builder.build().unwrap();
    let cookie = upstream.cookie(&json!({ "sub": "1" })).parse().unwrap();
    let headers = HeaderMap::from_iter([(COOKIE, cookie)]);
    auth.session(&headers).await.unwrap_err();
    assert_eq!(samples(&handle)["open_circuit_breakers"], 1.0);
    drop(auth);
    assert_eq!(samples(&handle)["open_circuit_breakers"], 0.0);
}

#[tokio::test]
async fn outage_raises_and_lowers_the_gauge_of_the_breaker() {
    let (recorder, handle) = recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let upstream = upstream().await;
    let builder =
        Auth::builder().upstream_base_url(upstream.url()).upstream_circuit_breaker(2).upstream_retries(1);
    let (_app, browser) = app_of(builder).await;
    let cookie = upstream.cookie(&json!({ "sub": "1" }));
    let ask = async || browser.get_with("/session", &[("cookie", &cookie)]).await;
    upstream.set_fault(Some(Fault::Refused)).await.unwrap();
    for _ in 0..4 {
        assert!(ask().await.status >= 502);
    }
    let seen = samples(&handle);
    assert_eq!(seen["open_circuit_breakers"], 1.0);
    let failed = "upstream_requests_total{request=\"lookup\",status=\"none\",error=\"upstream_unreachable\"}";
    assert_eq!((seen[failed], seen["upstream_retries_total{request=\"lookup\"}"]), (4.0, 2.0));
    let lookup = |code: &str| {
        seen[&format!("session_lookups_total{{outcome=\"unavailable\",code=\"{code}\",source=\"upstream\"}}")]
    };
    let unasked =
        sum(&seen, "session_lookups_total{outcome=\"unavailable\",code=\"circuit_open\",source=\"unasked\"}");
    assert_eq!((lookup("upstream_unreachable"), unasked), (2.0, 2.0));
    upstream.set_fault(None).await.unwrap();
    tokio::time::timeout(Duration::from_secs(10), async {
        while ask().await.status != 200 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .unwrap();
    assert_eq!(samples(&handle)["open_circuit_breakers"], 0.0);
}

#[tokio::test]
async fn health_check_without_an_answer_is_a_timeout() {
    let (recorder, handle) = recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let upstream = upstream().await;
    let builder = Auth::builder().upstream_base_url(upstream.url()).upstream_retries(0);
    let (_app, browser) = app_of(builder.upstream_timeout(Duration::from_millis(300))).await;
    let cookie = upstream.cookie(&json!({ "sub": "1" }));
    upstream.set_fault(Some(Fault::HangBeforeHead)).await.unwrap();
    assert_eq!(browser.get_with("/session", &[("cookie", &cookie)]).await.code(), "upstream_timeout");
    let counted = "upstream_requests_total{request=\"health\",status=\"none\",error=\"upstream_timeout\"}";
    assert!(settles(|| samples(&handle).contains_key(counted)).await, "{:#?}", samples(&handle));
    assert_eq!(sum(&samples(&handle), "upstream_requests_total{request=\"health\""), 1.0);
}

/// An upstream that counts its requests, and answers one for each permit that is added to the semaphore.
fn gated(
    answer: impl IntoResponse + Clone + Send + Sync + 'static,
) -> (Router, Arc<Semaphore>, Arc<AtomicUsize>) {
    let (gate, asked) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let (permits, count) = (Arc::clone(&gate), Arc::clone(&asked));
    let router = Router::new().fallback(move |_: Request| async move {
        count.fetch_add(1, SeqCst);
        permits.acquire().await.unwrap().forget();
        answer
    });
    (router, gate, asked)
}

#[tokio::test]
async fn lookups_under_way_and_waiting_are_gauged() {
    let (recorder, handle) = recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let (router, gate, asked) = gated(r#"{"user":{"name":"Ada"}}"#);
    let auth = Auth::builder()
        .upstream_base_url("http://auth")
        .upstream_session_strategy(SessionStrategy::Database)
        .upstream_fetch(router)
        .upstream_concurrency(2)
        .build()
        .unwrap();
    let of = |token: &str| {
        let cookie = HeaderValue::from_str(&format!("authjs.session-token={token}")).unwrap();
        HeaderMap::from_iter([("cookie".parse().unwrap(), cookie)])
    };
    let headers = ["a", "b", "c", "d", "d"].map(of);
    let waiting = headers.each_ref().map(|headers| auth.session(headers));
    let watch = async {
        while asked.load(SeqCst) < 2 {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        let seen = samples(&handle);
        assert_eq!((seen["lookups_in_flight"], seen["lookups_queued"]), (2.0, 2.0), "{seen:#?}");
        gate.add_permits(4);
    };
    let [a, b, c, d, e] = waiting;
    let (a, b, c, d, e, ()) = tokio::join!(a, b, c, d, e, watch);
    assert!([a, b, c, d, e].into_iter().all(|session| session.unwrap().is_some()));
    let seen = samples(&handle);
    assert_eq!(
        (seen["lookups_in_flight"], seen["lookups_queued"], seen["shared_lookups_total"]),
        (0.0, 0.0, 1.0)
    );
}

/// The upstream answers 503 with the same code, so the code does not tell whether it was asked.
#[tokio::test]
async fn lookup_that_a_full_queue_refuses_did_not_ask_the_upstream() {
    let (recorder, handle) = recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let (router, gate, asked) = gated(StatusCode::SERVICE_UNAVAILABLE);
    let auth = Auth::builder()
        .upstream_base_url("http://auth")
        .upstream_session_strategy(SessionStrategy::Database)
        .upstream_fetch(router)
        .upstream_concurrency(1)
        .upstream_queue(0)
        .upstream_retries(0)
        .build()
        .unwrap();
    let of = |token: &str| {
        let cookie = HeaderValue::from_str(&format!("authjs.session-token={token}")).unwrap();
        HeaderMap::from_iter([(COOKIE, cookie)])
    };
    let (one, two) = (of("a"), of("b"));
    let second = async {
        assert!(settles(|| asked.load(SeqCst) == 1).await);
        let refused = auth.session(&two).await.unwrap_err();
        gate.add_permits(100);
        refused
    };
    let (answered, refused) = tokio::join!(auth.session(&one), second);
    assert_eq!(answered.unwrap_err().code(), "upstream_overloaded");
    assert_eq!(refused.code(), "upstream_overloaded");
    let seen = samples(&handle);
    for source in ["upstream", "unasked"] {
        let labels = format!("outcome=\"unavailable\",code=\"upstream_overloaded\",source=\"{source}\"");
        let series = format!("session_lookups_total{{{labels}}}");
        assert_eq!(seen.get(&series), Some(&1.0), "{series} in {seen:#?}");
    }
    assert_eq!(sum(&seen, "upstream_requests_total{request=\"lookup\""), 1.0, "{seen:#?}");
}

/// The upstream has the request, and does what it asks, such as sending a mail.
#[tokio::test]
async fn request_whose_client_hangs_up_is_counted() {
    let (recorder, handle) = recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let spans = SpanCapture::start();
    let asked = Arc::new(AtomicUsize::new(0));
    let router = {
        let asked = Arc::clone(&asked);
        Router::new().fallback(move |body: String| async move {
            assert_eq!(body, "email=ada");
            asked.fetch_add(1, SeqCst);
            std::future::pending::<()>().await;
        })
    };
    let builder = Auth::builder().upstream_base_url("http://auth").upstream_fetch(router);
    let (app, _browser) = app_of(builder).await;
    let mut client = TcpStream::connect(app.addr).await.unwrap();
    let head = "POST /api/auth/signin/email HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n";
    let form = "Content-Type: application/x-www-form-urlencoded\r\n\r\nemail=ada";
    client.write_all(format!("{head}{form}").as_bytes()).await.unwrap();
    assert!(settles(|| asked.load(SeqCst) == 1).await);
    assert_eq!(sum(&samples(&handle), "forwarded_requests_total"), 0.0);
    drop(client);
    assert!(settles(|| sum(&samples(&handle), "forwarded_requests_total") > 0.0).await);
    let seen = samples(&handle);
    for series in [
        "forwarded_requests_total{outcome=\"cancelled\",code=\"none\"}",
        "upstream_requests_total{request=\"forward\",status=\"none\",error=\"cancelled\"}",
        "upstream_request_duration_seconds_count{request=\"forward\"}",
    ] {
        assert_eq!(seen.get(series), Some(&1.0), "{series} in {seen:#?}");
    }
    let request = &spans.named("HTTP request")[0];
    assert_eq!((request.field("error.type"), request.field("otel.status_code")), ("cancelled", "ERROR"));
    assert!(request.has_ended);
}

/// A client chooses its method, path, headers and cookies. None of them makes a new series.
#[tokio::test]
async fn client_cannot_make_new_series() {
    let (recorder, handle) = recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let upstream = upstream().await;
    let (app, browser) = app_of(Auth::builder().upstream_base_url(upstream.url())).await;
    let hostile = async |n: usize| {
        let method = reqwest::Method::from_bytes(format!("METHOD{n}").as_bytes()).unwrap();
        let url = app.url(&format!("/api/auth/path{n}?query{n}"));
        auth_proxy_tests::loopback_client().request(method, url).send().await.unwrap();
        let cookie = format!("authjs.session-token=secret{n}");
        browser.get_with("/session", &[("cookie", &cookie)]).await;
        browser.get_with(&format!("/api/auth/callback/provider{n}"), &[("cookie", &cookie)]).await;
        browser.get_with("/protected", &[("authorization", &format!("Bearer a.b.secret{n}"))]).await;
    };
    hostile(1).await;
    let first: BTreeSet<String> = samples(&handle).into_keys().collect();
    for n in 2..20 {
        hostile(n).await;
    }
    let all: BTreeSet<String> = samples(&handle).into_keys().collect();
    assert_eq!(first, all);
    for word in ["METHOD", "path", "query", "secret", "provider"] {
        assert!(!all.iter().any(|series| series.contains(word)), "{word} in {all:#?}");
    }
}

/// Dashboards and alerts use the names: a change of them is a breaking change.
#[test]
fn guide_lists_every_metric_with_its_labels() {
    let guide = include_str!("../../../auth-proxy/docs/guide/telemetry.md");
    let rows: Vec<&str> = guide.lines().filter(|line| line.starts_with("| `auth_proxy_")).collect();
    let listed: Vec<String> = METRICS
        .iter()
        .map(|metric| {
            let kind = match metric.kind {
                MetricKind::Counter => "counter",
                MetricKind::Gauge => "gauge",
                _ => "histogram",
            };
            let labels =
                metric.labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
            let labels = if labels.is_empty() { " ".to_owned() } else { format!(" {labels} ") };
            format!("| `{}` | {kind} |{labels}| {} |", metric.name, metric.help)
        })
        .collect();
    assert_eq!(rows, listed, "write these rows:\n{}", listed.join("\n"));
}

#[test]
fn recorder_gets_the_help_of_each_metric() {
    let (recorder, handle) = recorder();
    metrics::with_local_recorder(&recorder, || {
        Auth::builder().upstream_base_url("http://auth").build().unwrap();
        for metric in METRICS {
            match metric.kind {
                MetricKind::Counter => metrics::counter!(metric.name).increment(0),
                MetricKind::Gauge => metrics::gauge!(metric.name).set(0.0),
                _ => metrics::histogram!(metric.name).record(0.0),
            }
        }
    });
    let text = handle.render();
    for metric in METRICS {
        let help = format!("# HELP {} {}\n", metric.name, metric.help);
        assert!(text.contains(&help), "{help} is not in {text}");
    }
}
