//! The span of one call to the store that instances share.

use tracing::field::Empty;
use tracing::{Instrument as _, Span};

/// A call to the store.
pub(crate) struct StoreCall(Span);

impl StoreCall {
    /// `operation` is `get`, `put`, `end` or `revoke`.
    pub(crate) fn begin(operation: &'static str) -> Self {
        Self(tracing::info_span!(
            target: "auth_proxy::store",
            "session store",
            otel.kind = "client",
            otel.name = operation,
            otel.status_code = Empty,
            db.operation.name = operation,
            error.type = Empty,
        ))
    }

    pub(crate) async fn run<T>(&self, call: impl Future<Output = T>) -> T {
        call.instrument(self.0.clone()).await
    }

    /// Ends the span of a call that failed. `kind` is `not_connected`, `timeout` or `failed`.
    pub(crate) fn failed(self, kind: &'static str) {
        self.0.record("error.type", kind);
        self.0.record("otel.status_code", "ERROR");
    }
}
