//! The span of one call to the store that instances share.

use std::time::Instant;

use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use super::metrics::{STORE_CALLS, STORE_SECONDS, count, record};

/// What is asked of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreOperation {
    Get,
    Put,
    End,
    Revoke,
    Count,
    Ping,
}

impl StoreOperation {
    /// The name in spans and metrics.
    fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Put => "put",
            Self::End => "end",
            Self::Revoke => "revoke",
            Self::Count => "count",
            Self::Ping => "ping",
        }
    }
}

/// A call to the store.
pub(crate) struct StoreCall {
    span: Span,
    operation: &'static str,
    began: Instant,
}

impl StoreCall {
    pub(crate) fn begin(operation: StoreOperation) -> Self {
        let operation = operation.name();
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

#[cfg(test)]
mod tests {
    use super::StoreOperation::{Count, End, Get, Ping, Put, Revoke};

    /// Operators filter by the names: a change of them is a breaking change.
    #[test]
    fn guide_lists_every_operation() {
        let [first @ .., last] = [Get, Put, End, Revoke, Count, Ping].map(|one| format!("`{}`", one.name()));
        let list = format!("{} or {last}", first.join(", "));
        let guide = include_str!("../../docs/guide/telemetry.md");
        for name in ["db.operation.name", "operation"] {
            assert!(guide.contains(&format!("\n| `{name}` | {list} |\n")), "{name}: {list}");
        }
    }
}
