//! What the proxy tells an operator about its work: spans, metrics, and the trace context that goes to the upstream.
//!
//! The names of spans, fields and metrics are those of OpenTelemetry where it has one, and a contract: the page `telemetry` of the
//! guide lists them. No field has a path, a query, a cookie, a token or a user. A span that no subscriber wants costs no
//! allocation.
//!
//! It decides nothing: the other rooms work the same without it.
//!
//! Imports the rooms: none.
//! Does without the crates: `axum`, `hyper`, `jsonwebtoken`, `serde`, `tower`.

mod exchange;
mod lookup;
mod metrics;
mod store;
mod tally;
mod token;
mod trace_context;

pub(crate) use self::exchange::{Exchange, Purpose};
pub(crate) use self::lookup::{Lookup, LookupEnd, joined_lookup};
pub(crate) use self::metrics::describe;
#[cfg(feature = "metrics")]
pub use self::metrics::{DURATION_BUCKETS, METRICS, Metric, MetricKind};
pub(crate) use self::store::{StoreCall, StoreOperation};
pub(crate) use self::tally::{
    CacheName, Forwarded, Raised, asked_cache, guard_decided, revoked, signed_in, signed_out,
};
pub(crate) use self::token::Verification;
pub(crate) use self::trace_context::{Inject, TraceContext};
