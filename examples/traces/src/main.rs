//! Traces with OpenTelemetry: from a request of a browser, over this app, to the login server.
//!
//! Run a collector that takes OTLP over HTTP at port 4318, such as Jaeger, and then
//! `AUTH_UPSTREAM_URL=http://localhost:3001 cargo run -p traces`. `OTEL_EXPORTER_OTLP_ENDPOINT` is the address
//! of another collector.

use std::net::SocketAddr;

use auth_proxy::{Session, auth_proxy, require_session};
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::{Router, routing::get};
use opentelemetry::global::get_text_map_propagator;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Instrument as _, Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::filter::{EnvFilter, LevelFilter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

auth_proxy! {
    struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL") } }
}

#[require_session]
async fn home(session: Session<Auth>) -> String {
    format!("signed in as {}", session.user.name.as_deref().unwrap_or("a user without a name"))
}

/// Writes the context of the current span into the requests to the login server.
fn trace_context(headers: &mut HeaderMap) {
    let context = Span::current().context();
    get_text_map_propagator(|propagator| propagator.inject_context(&context, &mut HeaderInjector(headers)));
}

/// A span for each request, which continues the trace of the client.
async fn trace(request: Request, next: Next) -> Response {
    let span = info_span!("request", otel.kind = "server", otel.name = %request.method());
    let parent =
        get_text_map_propagator(|propagator| propagator.extract(&HeaderExtractor(request.headers())));
    // Fails only if no subscriber has spans of OpenTelemetry.
    span.set_parent(parent).ok();
    next.run(request).instrument(span).await
}

fn app(auth: Auth) -> Router {
    auth.attach(Router::new().route("/", get(home))).layer(from_fn(trace)).with_state(auth)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    let exporter = opentelemetry_otlp::SpanExporter::builder().with_http().build()?;
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).build();
    // The log goes to stderr: the first line of stdout is the address. `RUST_LOG` sets the level of both.
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    tracing_subscriber::registry()
        .with(filter)
        .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("my-app")))
        .with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr))
        .init();
    let auth = Auth::builder().trace_context(trace_context).build()?;
    let host = std::env::var("HOST").ok().filter(|host| !host.is_empty()).unwrap_or("127.0.0.1".to_owned());
    let port = std::env::var("PORT").unwrap_or("3000".to_owned()).parse::<u16>()?;
    let listener = tokio::net::TcpListener::bind((host.as_str(), port)).await?;
    println!("http://{}", listener.local_addr()?);
    let service = app(auth).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).await?;
    Ok(provider.shutdown()?)
}

#[cfg(test)]
mod tests;
