//! Captures spans with their fields.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

use crate::watch;

/// The spans of this crate that begin on this thread while it exists.
#[derive(Debug)]
pub struct SpanCapture {
    spans: Spans,
    _guard: DefaultGuard,
}

/// A span.
#[derive(Clone, Debug)]
pub struct Captured {
    /// The target without `auth_proxy::`.
    pub target: String,
    /// The name.
    pub name: &'static str,
    /// The level.
    pub level: Level,
    /// The names of all its fields.
    pub names: Vec<&'static str>,
    /// The fields that have a value.
    pub fields: BTreeMap<&'static str, String>,
    /// The name of the span around it. Empty without one.
    pub parent: &'static str,
    /// Whether it has ended.
    pub has_ended: bool,
}

impl Captured {
    /// The value of a field. Empty without one.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

impl SpanCapture {
    /// Starts to capture.
    #[must_use]
    pub fn start() -> Self {
        watch::start();
        let spans = Spans::default();
        let subscriber = tracing_subscriber::registry().with(Recorder(spans.clone()));
        Self { spans, _guard: tracing::subscriber::set_default(subscriber) }
    }

    /// All spans so far, in the order of their beginnings.
    #[must_use]
    pub fn all(&self) -> Vec<Captured> {
        self.spans.0.lock().unwrap().clone()
    }

    /// The spans with this name so far.
    #[must_use]
    pub fn named(&self, name: &str) -> Vec<Captured> {
        self.all().into_iter().filter(|span| span.name == name).collect()
    }
}

#[derive(Clone, Debug, Default)]
struct Spans(Arc<Mutex<Vec<Captured>>>);

struct Recorder(Spans);

/// The number of a span in the list.
struct Number(usize);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recorder {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let metadata = attributes.metadata();
        let Some(target) = metadata.target().strip_prefix("auth_proxy::") else { return };
        let span = context.span(id).expect("a new span");
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let mut spans = self.0.0.lock().unwrap();
        span.extensions_mut().insert(Number(spans.len()));
        spans.push(Captured {
            target: target.to_owned(),
            name: metadata.name(),
            level: *metadata.level(),
            names: metadata.fields().iter().map(|field| field.name()).collect(),
            fields: fields.0,
            parent: span.parent().map_or("", |parent| parent.name()),
            has_ended: false,
        });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        self.change(id, &context, |span| {
            let mut fields = Fields(std::mem::take(&mut span.fields));
            values.record(&mut fields);
            span.fields = fields.0;
        });
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        self.change(&id, &context, |span| span.has_ended = true);
    }
}

impl Recorder {
    fn change<S>(&self, id: &Id, context: &Context<'_, S>, change: impl FnOnce(&mut Captured))
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let number =
            context.span(id).and_then(|span| span.extensions().get::<Number>().map(|number| number.0));
        let mut spans = self.0.0.lock().unwrap();
        if let Some(span) = number.and_then(|number| spans.get_mut(number)) {
            change(span);
        }
    }
}

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = format!("{value:?}");
        watch::look(text.as_bytes());
        self.0.insert(field.name(), text);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        watch::look(value.as_bytes());
        self.0.insert(field.name(), value.to_owned());
    }
}
