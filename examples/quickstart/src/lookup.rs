//! Finds out, for the pages, which source answered the session lookup and how long the request has taken. The source is
//! a field of the debug event that `auth_proxy` logs for each lookup.

use std::cell::Cell;
use std::fmt::Debug;
use std::time::{Duration, Instant};

use axum::{extract::Request, middleware::Next, response::Response};
use tracing::{Event, Level, Subscriber, field::Field, field::Visit};
use tracing_subscriber::{Layer, filter::Targets, layer::Context, registry::LookupSpan};

tokio::task_local! {
    static BEGAN: Instant;
    static ANSWERED_BY: Cell<Option<&'static str>>;
}

/// Starts the clock of a request.
pub async fn watch(request: Request, next: Next) -> Response {
    BEGAN.scope(Instant::now(), ANSWERED_BY.scope(Cell::new(None), next.run(request))).await
}

/// The source that answered the lookup of this request, as text. `None` if there was no lookup.
pub fn answered_by() -> Option<&'static str> {
    ANSWERED_BY.with(Cell::get)
}

/// The time since this request arrived.
pub fn took() -> Duration {
    BEGAN.get().elapsed()
}

/// Reads the source from the events. The task that handles the request logs the lookup.
pub fn layer<S: Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> {
    SourceLayer.with_filter(Targets::new().with_target("auth_proxy", Level::DEBUG))
}

struct SourceLayer;

impl<S: Subscriber> Layer<S> for SourceLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        event.record(&mut SourceField);
    }
}

struct SourceField;

impl Visit for SourceField {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "source" {
            let text = match value {
                "upstream" => "Answered by the upstream, asked for this page",
                "memory" => "Answered by the cache, which keeps what the upstream said for 10 seconds",
                "stale" => "Answered by the cache with an old answer: the upstream is unavailable",
                "unasked" => "None: the upstream was not asked",
                _ => return,
            };
            ANSWERED_BY.try_with(|kept| kept.set(Some(text))).ok();
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}
