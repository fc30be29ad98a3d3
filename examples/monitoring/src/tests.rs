//! The queries of the dashboard and the alerts, against the text that the exporter writes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use auth_proxy::options::SessionStrategy;
use auth_proxy::store::{Entry, Put, SessionKey, SessionStore, StoreFuture};
use auth_proxy::testing::{FakeUpstream, Fault};
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, COOKIE, HOST, SET_COOKIE};
use axum::http::{Request, StatusCode};
use promql_parser::label::{MatchOp, Matchers};
use promql_parser::parser::{Expr, VectorSelector};
use promql_parser::util::{ExprVisitor, walk_expr};
use serde_json::Value;
use tower::ServiceExt as _;

use super::*;

const FORM: &str = "application/x-www-form-urlencoded";

/// A store that is down.
struct Down;

impl SessionStore for Down {
    fn get<'a>(&'a self, _: &'a SessionKey) -> StoreFuture<'a, Entry> {
        Box::pin(async { Err("down".into()) })
    }

    fn put(&self, _: Put) -> StoreFuture<'_, ()> {
        Box::pin(async { Err("down".into()) })
    }

    fn end<'a>(&'a self, _: &'a [SessionKey], _: Duration) -> StoreFuture<'a, ()> {
        Box::pin(async { Err("down".into()) })
    }
}

/// Every label of the series of a metric, and the values that each has.
type Series = BTreeMap<String, Vec<BTreeMap<String, String>>>;

/// What an app writes that has had visitors and an outage.
async fn written() -> Series {
    let recorder = recorder().unwrap();
    let handle = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let login = FakeUpstream::builder().strategy(SessionStrategy::Database).start().await.unwrap();
    let builder = || {
        Auth::builder()
            .upstream_base_url(login.url())
            .upstream_session_strategy(SessionStrategy::Database)
            .upstream_circuit_breaker(1)
            .upstream_concurrency(1)
            .session_cache(Duration::from_millis(50))
    };
    let with_store = app(builder().session_store(Down).build().unwrap());
    let app = app(builder().build().unwrap());
    let send = async |request: axum::http::request::Builder, body: &'static str| {
        app.clone().oneshot(request.header(HOST, "localhost").body(Body::from(body)).unwrap()).await.unwrap()
    };
    let sign_in = Request::post("/api/auth/callback/credentials").header(CONTENT_TYPE, FORM);
    let csrf = send(Request::get("/api/auth/csrf"), "").await;
    let cookie = |response: &axum::response::Response| {
        let pairs = response
            .headers()
            .get_all(SET_COOKIE)
            .iter()
            .map(|c| c.to_str().unwrap().split(';').next().unwrap().to_owned());
        pairs.collect::<Vec<_>>().join("; ")
    };
    let csrf_cookie = cookie(&csrf);
    let body = axum::body::to_bytes(csrf.into_body(), 10_000).await.unwrap();
    let token = serde_json::from_slice::<Value>(&body).unwrap()["csrfToken"].as_str().unwrap().to_owned();
    let form: &'static str = format!("csrfToken={token}&username=demo&password=demo").leak();
    let signed_in = send(sign_in.header(COOKIE, &csrf_cookie), form).await;
    let session = cookie(&signed_in);
    let home = async || send(Request::get("/").header(COOKIE, &session), "").await.status();
    assert_eq!(home().await, StatusCode::OK);
    assert_eq!(home().await, StatusCode::OK);
    let request = Request::get("/").header(COOKIE, &session).body(Body::empty()).unwrap();
    assert_eq!(with_store.oneshot(request).await.unwrap().status(), StatusCode::OK);
    // Two lookups at once: one waits.
    let other =
        |n: u8| send(Request::get("/").header(COOKIE, format!("authjs.session-token=unknown-{n}")), "");
    let (one, two) = tokio::join!(other(1), other(2));
    assert!([one, two].iter().all(|response| response.status() == StatusCode::UNAUTHORIZED));
    tokio::time::sleep(Duration::from_millis(80)).await;
    login.set_fault(Some(Fault::Refused)).await.unwrap();
    assert_eq!(home().await, StatusCode::OK, "a stale session");
    assert!(other(3).await.status().is_server_error());
    assert!(send(Request::get("/api/auth/providers"), "").await.status().is_server_error());
    login.set_fault(None).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let sign_out = Request::post("/api/auth/signout").header(COOKIE, format!("{csrf_cookie}; {session}"));
    let signed_out = send(sign_out.header(CONTENT_TYPE, FORM), form).await;
    assert!(signed_out.headers().contains_key(SET_COOKIE), "{signed_out:?}");
    series(&handle.render())
}

fn series(text: &str) -> Series {
    let mut series = Series::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (name, _) = line.rsplit_once(' ').unwrap();
        let (name, labels) = name.split_once('{').unwrap_or((name, "}"));
        let pairs = labels.trim_end_matches('}').split("\",").filter(|pair| !pair.is_empty());
        let labels = pairs.map(|pair| {
            let (label, value) = pair.split_once("=\"").unwrap();
            (label.to_owned(), value.trim_end_matches('"').to_owned())
        });
        series.entry(name.to_owned()).or_default().push(labels.collect());
    }
    series
}

/// The selectors and the labels of groups in a query.
#[derive(Default)]
struct Used {
    selectors: Vec<VectorSelector>,
    grouped_by: BTreeSet<String>,
}

impl ExprVisitor for Used {
    type Error = std::convert::Infallible;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Self::Error> {
        match expr {
            Expr::VectorSelector(selector) => self.selectors.push(selector.clone()),
            Expr::MatrixSelector(selector) => self.selectors.push(selector.vs.clone()),
            Expr::Aggregate(aggregate) => {
                if let Some(modifier) = &aggregate.modifier {
                    self.grouped_by.extend(modifier.labels().labels.iter().cloned());
                }
            }
            _ => {}
        }
        Ok(true)
    }
}

/// Checks a query: it parses, each selector finds a series, and each label that it names exists. Prometheus adds
/// `instance` to each series.
fn check(query: &str, series: &Series) {
    let query = query.replace("$__rate_interval", "5m").replace("$instance", ".*");
    let expr = promql_parser::parser::parse(&query).unwrap_or_else(|error| panic!("{query}: {error}"));
    let mut used = Used::default();
    walk_expr(&mut used, &expr).unwrap();
    assert!(!used.selectors.is_empty(), "{query}");
    for selector in &used.selectors {
        let name = selector.name.as_deref().unwrap();
        let known = series.get(name).unwrap_or_else(|| panic!("the exporter writes no {name}: {query}"));
        let is_found = known.iter().any(|labels| matches(&selector.matchers, labels));
        assert!(is_found, "no series for {selector:?}: {known:#?}");
        for label in used.grouped_by.iter().filter(|label| *label != "instance") {
            assert!(
                known.iter().any(|labels| labels.contains_key(label)),
                "{name} has no label {label}: {query}"
            );
        }
    }
}

fn matches(matchers: &Matchers, labels: &BTreeMap<String, String>) -> bool {
    matchers.matchers.iter().filter(|matcher| matcher.name != "instance").all(|matcher| {
        let Some(value) = labels.get(&matcher.name) else { return false };
        match matcher.op {
            MatchOp::Equal => *value == matcher.value,
            MatchOp::NotEqual => *value != matcher.value,
            _ => panic!("a match by pattern is not checked here"),
        }
    })
}

#[tokio::test]
async fn dashboard_and_alerts_ask_for_what_the_exporter_writes() {
    let series = written().await;
    let dashboard: Value = serde_json::from_str(include_str!("../dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let queries = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    let queries: Vec<&str> = queries.map(|target| target["expr"].as_str().unwrap()).collect();
    assert!(queries.len() > 15, "{queries:#?}");
    queries.iter().for_each(|query| check(query, &series));
    let alerts: Value = serde_yaml_ng::from_str(include_str!("../alerts.yaml")).unwrap();
    let rules = alerts["groups"][0]["rules"].as_array().unwrap();
    assert!(rules.len() >= 7);
    for rule in rules {
        check(rule["expr"].as_str().unwrap(), &series);
        for text in
            [&rule["alert"], &rule["for"], &rule["labels"]["severity"], &rule["annotations"]["summary"]]
        {
            assert!(text.as_str().is_some_and(|text| !text.is_empty()), "{rule:#}");
        }
    }
}
