//! Metrics for Prometheus, with a dashboard and alerts: see README.md.
//!
//! `AUTH_UPSTREAM_URL=http://localhost:3001 cargo run -p monitoring`. The app listens on `HOST` and `PORT`, 127.0.0.1:3000 by
//! default, and serves its metrics on `METRICS_PORT` of this machine, 9100 by default.

use std::net::SocketAddr;
use std::time::Duration;

use auth_proxy::metrics::DURATION_BUCKETS;
use auth_proxy::{Session, auth_proxy, require_session};
use axum::{Router, routing::get};
use metrics_exporter_prometheus::{
    BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};
use tokio::net::TcpListener;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

auth_proxy! {
    struct Auth {
        upstream: { base_url: env("AUTH_UPSTREAM_URL") },
        session: { cache: 30s, stale_if_error: 5m },
    }
}

#[require_session]
async fn home(session: Session<Auth>) -> String {
    format!("signed in as {}", session.user.name.as_deref().unwrap_or("a user without a name"))
}

fn app(auth: Auth) -> Router {
    auth.attach(Router::new().route("/", get(home))).with_state(auth)
}

/// A recorder whose durations are histograms with the buckets of OpenTelemetry.
fn recorder() -> Result<PrometheusRecorder, BuildError> {
    let durations = Matcher::Suffix("_duration_seconds".to_owned());
    Ok(PrometheusBuilder::new().set_buckets_for_metric(durations, &DURATION_BUCKETS)?.build_recorder())
}

/// The metrics, for a port that only Prometheus reaches.
fn metrics_router(handle: PrometheusHandle) -> Router {
    Router::new().route("/metrics", get(move || async move { handle.render() }))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The log goes to stderr: the first line of stdout is the address. `RUST_LOG` sets the level.
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let recorder = recorder()?;
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder)?;
    // Old samples of histograms are dropped here.
    let upkeep = handle.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(5)).await;
            upkeep.run_upkeep();
        }
    });
    let auth = Auth::from_env()?;
    let host = std::env::var("HOST").ok().filter(|host| !host.is_empty()).unwrap_or("127.0.0.1".to_owned());
    let port = std::env::var("PORT").unwrap_or("3000".to_owned()).parse::<u16>()?;
    let metrics_port = std::env::var("METRICS_PORT").unwrap_or("9100".to_owned()).parse::<u16>()?;
    let listener = TcpListener::bind((host.as_str(), port)).await?;
    let metrics_listener = TcpListener::bind(("127.0.0.1", metrics_port)).await?;
    println!("http://{}", listener.local_addr()?);
    let app = app(auth).into_make_service_with_connect_info::<SocketAddr>();
    let served = axum::serve(metrics_listener, metrics_router(handle));
    tokio::try_join!(async { axum::serve(listener, app).await }, async { served.await })?;
    Ok(())
}

#[cfg(test)]
mod tests;
