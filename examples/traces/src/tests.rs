//! A request with a trace of its own, to a fake login server: the spans in memory, and what the server is told.

use std::sync::{Arc, Mutex};

use auth_proxy::testing::FakeUpstream;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::COOKIE;
use opentelemetry::trace::{SpanId, SpanKind};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SpanData};
use serde_json::json;
use tower::ServiceExt as _;

use super::*;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn attribute(span: &SpanData, key: &str) -> String {
    let found = span.attributes.iter().find(|attribute| attribute.key.as_str() == key);
    found.map(|attribute| attribute.value.to_string()).unwrap_or_default()
}

#[tokio::test]
async fn trace_of_the_client_reaches_the_login_server() {
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let _guard =
        tracing::subscriber::set_default(tracing_subscriber::registry().with(LevelFilter::INFO).with(layer));

    let told = Arc::new(Mutex::new(Vec::new()));
    let login = FakeUpstream::start().await.unwrap();
    let upstream = {
        let told = Arc::clone(&told);
        Router::new().fallback(move |request: Request| {
            told.lock().unwrap().push(request.headers()["traceparent"].to_str().unwrap().to_owned());
            async { r#"{"user":{"name":"Ada"}}"# }
        })
    };
    let auth = Auth::builder()
        .upstream_base_url("https://auth.example.com")
        .upstream_fetch(upstream)
        .trace_context(trace_context)
        .build()
        .unwrap();
    let request = Request::get("/")
        .header(COOKIE, login.cookie(&json!({ "sub": "1" })))
        .header("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01"))
        .body(Body::empty())
        .unwrap();
    assert_eq!(app(auth).oneshot(request).await.unwrap().status(), StatusCode::OK);

    let spans = exporter.get_finished_spans().unwrap();
    let one = |is_it: &dyn Fn(&SpanData) -> bool| spans.iter().find(|span| is_it(span)).unwrap().clone();
    let server = one(&|span| span.span_kind == SpanKind::Server);
    let lookup = one(&|span| span.name == "session lookup");
    let client = one(&|span| span.span_kind == SpanKind::Client);
    assert!(spans.iter().all(|span| span.span_context.trace_id().to_string() == TRACE), "{spans:#?}");
    assert_eq!(server.parent_span_id, SpanId::from_hex("00f067aa0ba902b7").unwrap());
    assert_eq!(lookup.parent_span_id, server.span_context.span_id());
    assert_eq!(client.parent_span_id, lookup.span_context.span_id());
    // The server continues the span of the request that it got.
    let context = format!("00-{TRACE}-{}-01", client.span_context.span_id());
    assert_eq!(*told.lock().unwrap(), [context]);
    assert_eq!(client.name, "GET");
    for (key, value) in [
        ("http.request.method", "GET"),
        ("http.response.status_code", "200"),
        ("server.address", "auth.example.com"),
        ("server.port", "443"),
        ("auth.request", "lookup"),
    ] {
        assert_eq!(attribute(&client, key), value, "{key}");
    }
    for (key, value) in [("auth.outcome", "present"), ("auth.source", "upstream"), ("auth.shared", "false")] {
        assert_eq!(attribute(&lookup, key), value, "{key}");
    }
}
