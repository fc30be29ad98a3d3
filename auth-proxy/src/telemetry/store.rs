//! The span of one call to the store that instances share.

use std::time::Instant;

use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use super::metrics::{STORE_CALLS, STORE_SECONDS, count, record};

/// A call to the store.
pub(crate) struct StoreCall {
    span: Span,
    operation: &'static str,
    began: Instant,
}

impl StoreCall {
    /// `operation` is `get`, `put`, `end`, `revoke`, `count` or `ping`.
    pub(crate) fn begin(operation: &'static str) -> Self {
        let span = tracing::info_span!(
            target: "auth_proxy::store",
            "session store",
            otel.kind = "client",
            otel.name = operation,
            otel.status_code = Empty,
            db.operation.name = operation,
            error.type = Empty,
        );
        Self { span, operation, began: Instant::now() }
    }

    pub(crate) async fn run<T>(&self, call: impl Future<Output = T>) -> T {
        call.instrument(self.span.clone()).await
    }

    /// Ends the span. `Err` has `not_connected`, `timeout` or `failed`.
    pub(crate) fn end(self, result: Result<(), &'static str>) {
        record(STORE_SECONDS, [self.operation], self.began.elapsed());
        count(STORE_CALLS, [self.operation, result.err().unwrap_or("ok")]);
        if let Err(kind) = result {
            self.span.record("error.type", kind);
            self.span.record("otel.status_code", "ERROR");
        }
    }
}
