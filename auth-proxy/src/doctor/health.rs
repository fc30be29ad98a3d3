//! [`Health`]: what this instance knows of the upstream, the store and the keys, without asking them.

use std::time::Duration;

use auth_proxy_rules::RevocationUnavailable;
use serde::Serialize;

use super::issuer::issuer;
use crate::jwks::KeysState;
use crate::provider::Shared;
use crate::session::StoreState;
use crate::upstream::BreakerState;

/// How the upstream, the store and the keys did for the requests so far; see [`Proxy::health`](crate::Proxy::health).
///
/// `Serialize` writes the fields `ready`, `degraded`, `upstream`, `last_lookup`, `store` and `keys`.
///
/// Serve it on an address for operators only: it tells how the login server is doing.
///
/// ```
/// use auth_proxy::auth_proxy;
/// use axum::{Json, Router, extract::State, http::StatusCode, response::IntoResponse, routing::get};
///
/// auth_proxy! { struct Auth { upstream: { base_url: "http://auth.internal" } } }
///
/// async fn ready(State(auth): State<Auth>) -> impl IntoResponse {
///     let health = auth.health();
///     let status = if health.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
///     (status, Json(health))
/// }
///
/// let auth = Auth::from_env()?;
/// let operators: Router = Router::new()
///     .route("/livez", get(|| async { "ok" })) // depends on nothing
///     .route("/readyz", get(ready))
///     .with_state(auth);
/// # Ok::<(), auth_proxy::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Health {
    ready: bool,
    degraded: Vec<&'static str>,
    /// The circuit breaker before the upstream.
    pub upstream: UpstreamHealth,
    /// The last lookup of a session at the upstream. `None` before the first one.
    pub last_lookup: Option<LastLookup>,
    /// The shared store. `None` without one.
    pub store: Option<StoreHealth>,
    /// The published keys. `None` if tokens are not verified with such keys.
    pub keys: Option<KeysHealth>,
}

/// The circuit breaker before the upstream (`upstream.circuit_breaker`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "circuit", rename_all = "snake_case")]
#[non_exhaustive]
pub enum UpstreamHealth {
    /// Requests are sent.
    #[non_exhaustive]
    Closed {
        /// How many requests in a row failed for every client.
        failures: u32,
    },
    /// Requests are answered with `circuit_open`.
    #[non_exhaustive]
    Open {
        /// How many requests in a row failed for every client.
        failures: u32,
        /// Seconds until the next request leads to a new attempt.
        retry_in_seconds: u64,
    },
}

/// How the last lookup ended. It is one of one visitor, who may have caused its error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LastLookup {
    /// How many seconds ago it ended.
    pub seconds_ago: u64,
    /// The code of its error, such as `upstream_timeout`. `None` if the upstream answered.
    pub error: Option<&'static str>,
}

/// How the last call to the shared store ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StoreHealth {
    /// There was no call yet.
    Unused,
    /// It succeeded.
    Works,
    /// It failed or took too long.
    Failing,
    /// There was no connection.
    NotConnected,
}

/// The published keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KeysHealth {
    /// No token needed them yet.
    NotFetched,
    /// They verify tokens.
    Usable,
    /// They verify tokens until `jwks.stale`, but the last fetch failed.
    Stale,
    /// They cannot be fetched: tokens are answered with `keys_unavailable`.
    Unavailable,
}

impl Health {
    pub(super) fn of(shared: &Shared) -> Self {
        let upstream = match shared.upstream.breaker_state() {
            BreakerState::Closed { failures } => UpstreamHealth::Closed { failures },
            BreakerState::Open { failures, retry_in } => {
                UpstreamHealth::Open { failures, retry_in_seconds: rounded_up(retry_in) }
            }
        };
        let store = shared.sessions.store_state().map(|state| match state {
            StoreState::Unused => StoreHealth::Unused,
            StoreState::Works => StoreHealth::Works,
            StoreState::Failing => StoreHealth::Failing,
            StoreState::NotConnected => StoreHealth::NotConnected,
        });
        let keys = issuer(shared).map(|issuer| match issuer.keys_state() {
            KeysState::NotFetched => KeysHealth::NotFetched,
            KeysState::Usable { is_failing: false } => KeysHealth::Usable,
            KeysState::Usable { is_failing: true } => KeysHealth::Stale,
            KeysState::Unavailable => KeysHealth::Unavailable,
        });
        let last_lookup = shared.upstream.last_lookup.get();
        let last_lookup = last_lookup.map(|(ago, error)| LastLookup { seconds_ago: ago.as_secs(), error });
        let has_list = shared.sessions.revocations().is_some();
        let is_list_incomplete = has_list && !shared.sessions.knows_revocations();
        let is_list_full = shared.sessions.misses_revocations();
        let degraded = [
            (matches!(upstream, UpstreamHealth::Open { .. }), "circuit_open"),
            (matches!(store, Some(StoreHealth::Failing | StoreHealth::NotConnected)), "store_failing"),
            (is_list_incomplete, "revocations_incomplete"),
            (is_list_full, "revocations_full"),
            (keys == Some(KeysHealth::Stale), "keys_stale"),
            (keys == Some(KeysHealth::Unavailable), "keys_unavailable"),
        ];
        let degraded = degraded.into_iter().filter_map(|(is_so, name)| is_so.then_some(name)).collect();
        // At its start an instance refuses every token until it has the list once, while the others accept them.
        let refuses = shared.settings.revocation_unavailable == RevocationUnavailable::Refuse;
        let ready = !(refuses && has_list && !shared.sessions.knew_revocations());
        Self { ready, degraded, upstream, last_lookup, store, keys }
    }

    /// Whether a load balancer should send visitors to this instance. An outage of the upstream, the store or the issuer of
    /// keys does not change it: it hits all instances, and public pages and signed-in visitors with valid tokens can be
    /// served. If all instances were taken out of service, none of these could.
    ///
    /// `false` in one case: with `session.revocation: store` and `session.revocation_unavailable: refuse`, until this
    /// instance has got the list of revoked tokens for the first time. Until then it answers each token with 503.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ready
    }

    /// What does not work now: `circuit_open`, `store_failing`, `revocations_incomplete`, `revocations_full`, `keys_stale` or
    /// `keys_unavailable`. For alerts, or for a readiness rule of one's own.
    #[must_use]
    pub fn degraded(&self) -> &[&'static str] {
        &self.degraded
    }
}

/// Whole seconds.
fn rounded_up(time: Duration) -> u64 {
    u64::try_from(time.as_millis().div_ceil(1000)).unwrap_or(u64::MAX)
}
