//! `admin_listen`: metrics and health, for machines of the operator. Visitors never reach it.

use std::time::Duration;

use auth_proxy::metrics::DURATION_BUCKETS;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::routes::Shared;

/// How often old samples are dropped.
const UPKEEP: Duration = Duration::from_secs(5);

/// Starts recording. Call it once, before the first proxy is built.
///
/// # Errors
/// When another recorder is installed.
pub(crate) fn record() -> Result<PrometheusHandle, Box<dyn std::error::Error>> {
    let durations = Matcher::Suffix("_duration_seconds".to_owned());
    let recorder =
        PrometheusBuilder::new().set_buckets_for_metric(durations, &DURATION_BUCKETS)?.build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder)?;
    let upkeep = handle.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            upkeep.run_upkeep();
        }
    });
    Ok(handle)
}

/// The routes: `/metrics`, and `/health` with `/health/live`.
pub(crate) fn router(metrics: PrometheusHandle, routes: Shared) -> Router {
    let text = move || {
        let metrics = metrics.clone();
        async move { ([(CONTENT_TYPE, "text/plain; version=0.0.4")], metrics.render()).into_response() }
    };
    let health = move || {
        let answer = health(&routes);
        async move { answer }
    };
    Router::new()
        .route("/metrics", get(text))
        .route("/health", get(health))
        .route("/health/live", get(|| async { "alive\n" }))
}

/// Whether requests should be sent here, and how the login server, the store and the keys did so far. It asks none of them.
fn health(routes: &Shared) -> Response {
    let Some(login) = routes.get().login() else { return StatusCode::NOT_FOUND.into_response() };
    let health = login.gateway().health();
    let status = if health.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(health)).into_response()
}
