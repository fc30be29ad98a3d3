//! The metrics: their names, labels and units, and the functions that count.
//!
//! They go to the recorder of the crate `metrics`, with the feature of this name. Without it the functions do nothing.
#![cfg_attr(not(feature = "metrics"), allow(dead_code, unreachable_pub, reason = "public with the feature"))]

use std::time::Duration;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricKind {
    /// A number that grows.
    Counter,
    /// A number that grows and falls.
    Gauge,
    /// Durations in seconds.
    Histogram,
}

/// A metric. Its name and its labels change in a breaking release only.
///
/// ```
/// use auth_proxy::metrics::METRICS;
///
/// for metric in METRICS {
///     println!("{} {:?} {:?}: {}", metric.name, metric.kind, metric.labels, metric.help);
/// }
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Metric {
    /// The name.
    pub name: &'static str,
    /// What is measured.
    pub kind: MetricKind,
    /// The names of the labels. None has a path, a query, a user or a token.
    pub labels: &'static [&'static str],
    /// What it tells.
    pub help: &'static str,
}

macro_rules! metrics {
    ($($constant:ident = $kind:ident $name:literal $labels:tt $help:literal;)+) => {
        $(pub(super) const $constant: Metric =
            Metric { name: $name, kind: MetricKind::$kind, labels: &$labels, help: $help };)+

        /// All metrics.
        pub const METRICS: &[Metric] = &[$($constant,)+];
    };
}

metrics! {
    LOOKUPS = Counter "auth_proxy_session_lookups_total" ["outcome", "code", "source"]
        "requests of extractors, guards and answers of `session.answer_session` for a session";
    LOOKUP_SECONDS = Histogram "auth_proxy_session_lookup_duration_seconds" ["source"]
        "how long a request waited for a session";
    SHARED_LOOKUPS = Counter "auth_proxy_shared_lookups_total" []
        "lookups that waited for one that another request had begun";
    LOOKUPS_IN_FLIGHT = Gauge "auth_proxy_lookups_in_flight" []
        "lookups under way at the upstream";
    LOOKUPS_QUEUED = Gauge "auth_proxy_lookups_queued" []
        "lookups that wait because of `upstream.concurrency`";
    REQUESTS = Counter "auth_proxy_upstream_requests_total" ["request", "status", "error"]
        "attempts at requests to the upstream, or to the issuer of keys";
    REQUEST_SECONDS = Histogram "auth_proxy_upstream_request_duration_seconds" ["request"]
        "how long an attempt took: up to the head of the response for `forward` and `health`, else up to its end";
    RETRIES = Counter "auth_proxy_upstream_retries_total" ["request"]
        "attempts after the first one";
    FORWARDS = Counter "auth_proxy_forwarded_requests_total" ["outcome", "code"]
        "requests to the sign-in routes";
    VERIFICATIONS = Counter "auth_proxy_token_verifications_total" ["outcome", "code"]
        "tokens that were decrypted, verified, or recognised as verified before";
    GUARDS = Counter "auth_proxy_guard_decisions_total" ["outcome", "code"]
        "decisions of guards, layers, `auth.authorize` and verdicts";
    CACHE = Counter "auth_proxy_cache_total" ["cache", "result"]
        "whether a cache had what was asked for";
    STORE_CALLS = Counter "auth_proxy_store_calls_total" ["operation", "result"]
        "calls to the store that instances share";
    STORE_SECONDS = Histogram "auth_proxy_store_call_duration_seconds" ["operation"]
        "how long a call to the store took";
    OPEN_BREAKERS = Gauge "auth_proxy_open_circuit_breakers" []
        "upstreams that are not asked, because they failed for every request";
    SIGN_INS = Counter "auth_proxy_sign_ins_total" ["kind"]
        "responses of the upstream that gave a browser a new session by a sign-in";
    SIGN_OUTS = Counter "auth_proxy_sign_outs_total" []
        "responses of the upstream that ended the session of a browser";
    REVOCATIONS = Counter "auth_proxy_revocations_total" ["kind", "result"]
        "revocations that the upstream sent to `_revoke`";
}

/// The bounds of the durations, in seconds: those of OpenTelemetry for HTTP
/// ([`http.client.request.duration`](https://opentelemetry.io/docs/specs/semconv/http/http-metrics/)).
pub const DURATION_BUCKETS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// The value of a label that does not apply.
pub(super) const NONE: &str = "none";

/// The value of a label for work that was given up, because nobody waited for its result any more.
pub(super) const CANCELLED: &str = "cancelled";

/// Adds one. `values` are those of the labels of the metric, in their order.
pub(super) fn count<const N: usize>(metric: Metric, values: [&'static str; N]) {
    debug_assert_eq!(metric.labels.len(), N, "{}", metric.name);
    #[cfg(feature = "metrics")]
    metrics::counter!(metric.name, labels(metric, &values)).increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = (metric, values);
}

/// Records a duration.
pub(super) fn record<const N: usize>(metric: Metric, values: [&'static str; N], took: Duration) {
    debug_assert_eq!(metric.labels.len(), N, "{}", metric.name);
    #[cfg(feature = "metrics")]
    metrics::histogram!(metric.name, labels(metric, &values)).record(took.as_secs_f64());
    #[cfg(not(feature = "metrics"))]
    let _ = (metric, values, took);
}

/// Raises or lowers a gauge.
pub(super) fn change(metric: Metric, by: f64) {
    #[cfg(feature = "metrics")]
    metrics::gauge!(metric.name).increment(by);
    #[cfg(not(feature = "metrics"))]
    let _ = (metric, by);
}

#[cfg(feature = "metrics")]
fn labels(metric: Metric, values: &[&'static str]) -> Vec<metrics::Label> {
    let pairs = metric.labels.iter().zip(values);
    pairs.map(|(name, value)| metrics::Label::from_static_parts(name, value)).collect()
}

/// Tells the recorder what the metrics are. A recorder that is installed later does not get the descriptions.
pub(crate) fn describe() {
    #[cfg(feature = "metrics")]
    for metric in METRICS {
        match metric.kind {
            MetricKind::Counter => metrics::describe_counter!(metric.name, metric.help),
            MetricKind::Gauge => metrics::describe_gauge!(metric.name, metric.help),
            MetricKind::Histogram => {
                metrics::describe_histogram!(metric.name, metrics::Unit::Seconds, metric.help);
            }
        }
    }
}
