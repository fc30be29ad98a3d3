//! Transport to the upstream: where requests go, which headers the proxy adds, the client that carries them,
//! retries, timeouts, the limit of requests at once, the circuit breaker and its health checks.
//!
//! It knows nothing of sessions, tokens or cookies: which path to ask for, and what a response means, is decided
//! above. What a client sent must not choose the origin, and no request that may have been sent is repeated unless
//! its caller says that it is idempotent.
//!
//! Imports the rooms: `config`, `error`, `forwarded`.
//! Does without the crates: `jsonwebtoken`, `serde`, `serde_json`.

mod address;
mod admission;
mod breaker;
mod client;
mod error;
mod failure_log;
mod fetch;
mod head;
mod health;
mod health_request;
mod idle;
mod kept;
#[cfg(feature = "reqwest")]
mod reqwest;
mod retry;
mod send;
mod verdict;
mod via;

use auth_proxy_rules::Settings;
use axum::body::Body;
use http::{HeaderMap, HeaderName, Request, Uri};
use tower::retry::budget::TpsBudget;

use self::address::Address;
use self::admission::Admission;
use self::breaker::Breaker;
use self::client::Client;
pub(crate) use self::error::body_error;
use self::failure_log::{FailureLog, Requests};
pub use self::fetch::{DynFetch, Fetch};
use self::health::HealthCheck;
#[cfg(feature = "reqwest")]
pub use self::reqwest::Reqwest;
pub(crate) use self::retry::RetryPolicy;
pub(crate) use self::send::WholeResponse;
use self::via::Via;
use crate::config::Config;
use crate::error::{AuthError, BoxError};

/// One upstream: its address, its headers and its client.
pub(crate) struct Upstream {
    client: Client,
    settings: Settings,
    address: Address,
    headers: HeaderMap,
    header_names: Vec<HeaderName>,
    via: Via,
    breaker: Breaker,
    health_check: HealthCheck,
    budget: TpsBudget,
    pub(crate) admission: Admission,
    /// Failed lookups in the log.
    pub(crate) lookup_log: FailureLog,
    /// Failed forwarded requests in the log.
    pub(crate) forward_log: FailureLog,
}

impl Upstream {
    /// An upstream as configured, with the client that is given, or the built-in one.
    ///
    /// # Errors
    /// When the client cannot be made: the system's certificates cannot be read.
    pub(crate) fn new(config: &Config, fetch: Option<DynFetch>) -> Result<Self, BoxError> {
        let settings = &config.settings;
        Ok(Self {
            client: Client::new(settings, fetch)?,
            address: Address::new(settings)?,
            headers: config.headers.clone(),
            header_names: config.header_names.clone(),
            via: Via::new()?,
            breaker: Breaker::new(settings.circuit_breaker),
            health_check: HealthCheck::default(),
            budget: TpsBudget::default(),
            admission: Admission::new(settings),
            lookup_log: FailureLog::new(Requests::Lookups),
            forward_log: FailureLog::new(Requests::Forwarded),
            settings: settings.clone(),
        })
    }

    /// The target of a request for `requested`, of which `rest` (empty or `/..`) is below the base path.
    ///
    /// # Errors
    /// `path_invalid` when the parts do not make a URI. `rest` must have been checked before: it has no dot
    /// segments here.
    pub(crate) fn target(&self, requested: &Uri, rest: &str) -> Result<Uri, AuthError> {
        self.address.target(requested, rest)
    }

    /// A `GET` of a path below the base path, without headers.
    ///
    /// # Errors
    /// `path_invalid` when it does not make a URI.
    pub(crate) fn get(&self, path: &str) -> Result<Request<Body>, AuthError> {
        self.address.get(path)
    }
}
