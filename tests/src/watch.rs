//! The log watch: searches the logs of all crates, at every level, for the secrets of the tests, and detects panics
//! outside of the tests. A logged secret or such a panic aborts the process, so that the run fails.

use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::panic::PanicHookInfo;
use std::path::Path;
use std::sync::{Arc, LazyLock, Once};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

use crate::scanner::Scanner;
use crate::{COOKIE_NAME, SECURE_COOKIE_NAME};

static SECRETS: LazyLock<Arc<Scanner>> = LazyLock::new(Arc::default);

/// Starts the watch once. All helpers that start apps, clients or upstreams call this function first.
pub fn start() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let sink = Sink { scanner: Arc::clone(&SECRETS), found: abort };
        tracing::subscriber::set_global_default(subscriber(sink))
            .expect("the log watch is the only global subscriber");
        log::set_boxed_logger(Box::new(LogCrateBridge)).expect("the log watch is the only global logger");
        log::set_max_level(log::LevelFilter::Trace);
        let default_hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            default_hook(panic);
            abort_on_library_panic(panic);
        }));
        // The default secret of the fake upstream, and the keys derived from it.
        let fake = "a fake secret that is long enough";
        secret(fake);
        for name in [COOKIE_NAME, SECURE_COOKIE_NAME] {
            SECRETS.add(&derived_key(fake, name));
        }
        // The API key of the app in the behaviour suite.
        secret("k3y");
    });
}

/// Adds a secret to search for.
pub fn secret(secret: &str) {
    SECRETS.add(secret.as_bytes());
}

/// Searches a line that another subscriber logged. Aborts the process if the line contains a secret.
pub fn look(line: &[u8]) {
    if let Some(found) = SECRETS.find(line) {
        abort(&found, &String::from_utf8_lossy(line));
    }
}

/// A subscriber that writes the fields of every event and of every span to a sink, each once. The lines of
/// `tracing_subscriber::fmt` repeat the fields of all spans around an event, which the watch would search again and again.
pub fn subscriber(sink: Sink) -> impl Subscriber + Send + Sync {
    tracing_subscriber::registry().with(Fields(sink))
}

struct Fields(Sink);

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Fields {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let mut line = Line::of(attributes.metadata());
        attributes.record(&mut line);
        self.0.search(line.0.as_bytes());
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let mut line = context.metadata(id).map_or(Line(String::new()), Line::of);
        values.record(&mut line);
        self.0.search(line.0.as_bytes());
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line::of(event.metadata());
        event.record(&mut line);
        self.0.search(line.0.as_bytes());
    }
}

/// The fields of an event or a span.
struct Line(String);

impl Line {
    fn of(metadata: &Metadata<'_>) -> Self {
        // The name of an event is its place in the source, which is long, and the watch searches each byte.
        let name = if metadata.is_span() { metadata.name() } else { "" };
        Self(format!("{} {name}", metadata.target()))
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).expect("a `String` takes all text");
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        write!(self.0, " {}={value}", field.name()).expect("a `String` takes all text");
    }
}

/// Searches each line for secrets and discards it.
#[derive(Clone, Debug)]
pub struct Sink {
    /// The secrets to look for.
    pub scanner: Arc<Scanner>,
    /// Called with the found part of a secret, and the line that contains it.
    pub found: fn(&str, &str),
}

impl Sink {
    fn search(&self, line: &[u8]) {
        if let Some(found) = self.scanner.find(line) {
            (self.found)(&found, &String::from_utf8_lossy(line));
        }
    }
}

/// Searches the messages of crates that use `log` instead of `tracing`.
struct LogCrateBridge;

impl log::Log for LogCrateBridge {
    fn enabled(&self, meta: &log::Metadata<'_>) -> bool {
        // `cookie_store` is the cookie jar of the test client and logs cookies; the library does not use it.
        !meta.target().starts_with("cookie_store")
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            look(format!("{} {}", record.target(), record.args()).as_bytes());
        }
    }

    fn flush(&self) {}
}

/// Aborts on a panic of the library or its dependencies. A panic in test code only fails that test.
fn abort_on_library_panic(panic: &PanicHookInfo<'_>) {
    let file = panic.location().map_or("", |location| location.file());
    if !["tests", "auth-proxy-gateway/tests"].iter().any(|tests| Path::new(file).starts_with(tests)) {
        abort("a panic outside of the tests", &panic.to_string());
    }
}

/// Aborts the process: a panic could be ignored by a task, or come after the end of its test. Writes to stderr
/// directly, since the test harness captures `eprintln!`.
fn abort(what: &str, line: &str) {
    let _ = writeln!(std::io::stderr(), "\nwatch: {what}: {line}");
    std::process::abort();
}

/// The encryption key that Auth.js v5 derives from a secret (`core/jwt.ts:200-223`).
fn derived_key(secret: &str, cookie_name: &str) -> [u8; 64] {
    use aws_lc_rs::hkdf;
    struct Bytes;
    impl hkdf::KeyType for Bytes {
        fn len(&self) -> usize {
            64
        }
    }
    let mut key = [0; 64];
    let info = format!("Auth.js Generated Encryption Key ({cookie_name})");
    let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, cookie_name.as_bytes());
    salt.extract(secret.as_bytes()).expand(&[info.as_bytes()], Bytes).unwrap().fill(&mut key).unwrap();
    key
}
