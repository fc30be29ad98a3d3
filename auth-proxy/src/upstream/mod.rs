//! HTTP transport to the upstream: address and headers of a request, the HTTP client, retries, timeouts, the
//! concurrency limit, the circuit breaker and its health checks. Also the client of an app behind this proxy.
//!
//! This room knows nothing of sessions, tokens or cookies: its callers choose the path and interpret the response. A
//! client's request must not choose the origin. A request that may have been sent is repeated only if its caller says
//! that it is idempotent.
//!
//! Imports the rooms: `audit`, `config`, `error`, `forwarded`, `telemetry`.
//! Does without the crates: `jsonwebtoken`, `serde`, `serde_json`.

mod address;
mod admission;
mod app_client;
mod assessment;
mod awaited;
mod breaker;
mod client;
mod document;
mod error;
mod failure_log;
mod fault;
mod fetch;
mod head;
mod health;
mod health_request;
mod idle;
mod kept;
mod last_lookup;
mod probe;
#[cfg(feature = "reqwest")]
mod reqwest;
mod retry;
mod send;
mod via;

use std::sync::Arc;

use auth_proxy_rules::Settings;
use axum::body::Body;
use bytes::Bytes;
use http::header::ACCEPT;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri};
use tokio::time::Instant;
use tower::retry::budget::TpsBudget;

use self::address::Address;
use self::admission::Admission;
pub(crate) use self::app_client::{AppClient, of_app};
use self::awaited::AwaitedBodies;
use self::breaker::Breaker;
pub(crate) use self::breaker::BreakerState;
use self::client::Client;
pub(crate) use self::document::Document;
pub(crate) use self::error::body_error;
use self::failure_log::{FailureLog, Requests};
pub(crate) use self::fault::Fault;
pub use self::fetch::{DynFetch, Fetch};
use self::health::HealthCheck;
use self::last_lookup::LastLookup;
pub(crate) use self::probe::ProbeHost;
#[cfg(feature = "reqwest")]
pub use self::reqwest::Reqwest;
pub(crate) use self::retry::RetryPolicy;
pub(crate) use self::send::WholeResponse;
use self::via::Via;
use crate::audit::Audit;
use crate::config::Config;
use crate::error::{AuthError, BoxError};
use crate::forwarded::{Addresses, ClientInfo};
use crate::telemetry::{Purpose, TraceContext};

/// One upstream: its address, HTTP client, circuit breaker and limits.
pub(crate) struct Upstream {
    client: Client,
    settings: Settings,
    address: Address,
    headers: HeaderMap,
    header_names: Vec<HeaderName>,
    via: Via,
    breaker: Breaker,
    health_check: HealthCheck,
    awaited_bodies: AwaitedBodies,
    needs: Needs,
    trace_context: TraceContext,
    budget: TpsBudget,
    pub(crate) admission: Admission,
    /// Logs failed lookups.
    pub(crate) lookup_log: FailureLog,
    /// Logs failed forwarded requests.
    pub(crate) forward_log: FailureLog,
    /// The end of the last lookup.
    pub(crate) last_lookup: LastLookup,
}

/// What the software of the upstream needs.
pub(crate) struct Needs {
    /// A path below the base path that the upstream answers while it is up.
    pub(crate) health_path: &'static str,
    /// Which addresses it gets in `X-Forwarded-For`.
    pub(crate) addresses: Addresses,
}

impl Upstream {
    /// An upstream with this configuration. `fetch` replaces the built-in HTTP client.
    ///
    /// # Errors
    /// When the built-in client cannot read the system's certificates.
    pub(crate) fn new(
        config: &Config,
        needs: Needs,
        fetch: Option<DynFetch>,
        trace_context: TraceContext,
        audit: Audit,
    ) -> Result<Self, BoxError> {
        let settings = &config.settings;
        Ok(Self {
            client: Client::new(&settings.base_url, settings.connect_timeout, fetch)?,
            address: Address::new(settings)?,
            headers: config.headers.clone(),
            header_names: config.header_names.clone(),
            via: Via::new()?,
            breaker: Breaker::new(settings.circuit_breaker, audit),
            health_check: HealthCheck::default(),
            awaited_bodies: AwaitedBodies::default(),
            needs,
            trace_context,
            budget: TpsBudget::default(),
            admission: Admission::new(settings),
            lookup_log: FailureLog::new(Requests::Lookups),
            forward_log: FailureLog::new(Requests::Forwarded),
            last_lookup: LastLookup::default(),
            settings: settings.clone(),
        })
    }

    /// The URL at the upstream for a client's request. `requested` is its URI; `rest` (empty or `/..`) is the part of
    /// its path below the base path. The caller has checked that `rest` has no dot segments.
    ///
    /// # Errors
    /// `path_invalid` when the parts do not form a URI.
    pub(crate) fn target(&self, requested: &Uri, rest: &str) -> Result<Uri, AuthError> {
        self.address.target(requested, rest)
    }

    /// Gets a public document of the upstream below the base path, of at most `limit` bytes. Like a health check, the
    /// request has nothing of any client.
    ///
    /// # Errors
    /// Those of [`send_whole`](Self::send_whole), and `upstream_failed` for a status other than 200.
    pub(crate) async fn get_document(
        self: &Arc<Self>,
        path: &str,
        limit: usize,
        deadline: Instant,
    ) -> Result<Bytes, AuthError> {
        let mut request = self.get(path)?;
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        self.finish_head(request.headers_mut(), &ClientInfo::own(&self.settings))?;
        document::body_of(self.send_whole(Purpose::Keys, request, limit, deadline).await?.response)
    }

    /// The path of the Unix socket, if the upstream has one in place of a host and a port.
    fn socket(&self) -> Option<&str> {
        self.settings.base_url.socket.as_deref()
    }

    /// Whether the circuit breaker lets requests through.
    pub(crate) fn breaker_state(&self) -> BreakerState {
        self.breaker.current()
    }

    /// Adds this proxy to `Via`, for a request to another server than the upstream.
    ///
    /// # Errors
    /// `loop_detected` when this proxy already sent the request once.
    pub(crate) fn add_via(&self, headers: &mut HeaderMap) -> Result<(), AuthError> {
        self.via.add(headers)
    }

    /// A `GET` request for a path below the base path, without headers.
    ///
    /// # Errors
    /// `path_invalid` when the path does not form a URI.
    pub(crate) fn get(&self, path: &str) -> Result<Request<Body>, AuthError> {
        self.address.get(path)
    }
}
