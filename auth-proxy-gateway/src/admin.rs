//! `admin_listen`: metrics and health, for machines of the operator. Visitors never reach it.

use std::time::Duration;

use auth_proxy::metrics::DURATION_BUCKETS;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::header::CONTENT_TYPE;
use http::{Request, StatusCode};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tower::ServiceExt as _;

use crate::config::Server as Limits;
use crate::routes::Shared;
use crate::server::Site;

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

/// What `admin_listen` serves.
#[derive(Clone)]
pub(crate) struct Admin {
    router: Router,
    limits: Limits,
}

impl Admin {
    pub(crate) fn new(metrics: PrometheusHandle, routes: Shared, limits: Limits) -> Self {
        Self { router: router(metrics, routes), limits }
    }
}

impl Site for Admin {
    fn limits(&self) -> Limits {
        self.limits
    }

    async fn answer(&self, request: Request<Body>) -> Response {
        let Ok(response) = self.router.clone().oneshot(request).await;
        response
    }
}

/// The routes: `/metrics`, and `/health` with `/health/live`.
fn router(metrics: PrometheusHandle, routes: Shared) -> Router {
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
    let health = routes.get().login().gateway().health();
    let status = if health.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(health)).into_response()
}
