//! The span and the log event of one request for a session.

use std::time::Instant;

use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use super::metrics::{LOOKUP_SECONDS, LOOKUPS, NONE, SHARED_LOOKUPS, count, record};

/// A request for a session, which is answered from a cache, from the store or from the upstream.
pub(crate) struct Lookup {
    span: Span,
    began: Instant,
}

/// How a lookup ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LookupEnd {
    pub(crate) outcome: &'static str,
    /// The code of the error.
    pub(crate) code: Option<&'static str>,
    /// Where the result came from.
    pub(crate) source: &'static str,
}

impl Lookup {
    pub(crate) fn begin() -> Self {
        let span = tracing::info_span!(
            target: "auth_proxy::lookup",
            "session lookup",
            auth.outcome = Empty,
            auth.code = Empty,
            auth.source = Empty,
            auth.shared = false,
        );
        Self { span, began: Instant::now() }
    }

    /// Runs the lookup within the span.
    pub(crate) async fn run<T>(&self, lookup: impl Future<Output = T>) -> T {
        lookup.instrument(self.span.clone()).await
    }

    /// Ends the span.
    pub(crate) fn end(self, end: LookupEnd) {
        let LookupEnd { outcome, code, source } = end;
        let took = self.began.elapsed();
        count(LOOKUPS, [outcome, code.unwrap_or(NONE), source]);
        record(LOOKUP_SECONDS, [source], took);
        self.span.record("auth.outcome", outcome);
        self.span.record("auth.source", source);
        if let Some(code) = code {
            self.span.record("auth.code", code);
        }
        self.span.in_scope(|| {
            tracing::debug!(
                target: "auth_proxy::lookup",
                outcome,
                code = code.unwrap_or_default(),
                source,
                ?took,
                "session looked up"
            );
        });
    }
}

/// Notes that the current lookup waits for one that another request began.
pub(crate) fn joined_lookup() {
    count(SHARED_LOOKUPS, []);
    Span::current().record("auth.shared", true);
}
