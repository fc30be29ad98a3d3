//! Searches everything that this process logs, of every crate and at every level, for the secrets of the tests, and detects
//! panics outside of the tests. Either aborts the process, so that the run cannot pass.

use std::io::Write;
use std::panic::PanicHookInfo;
use std::path::Path;
use std::sync::{Arc, LazyLock, Once};

use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::scanner::Scanner;
use crate::{COOKIE_NAME, SECURE_COOKIE_NAME};

static SECRETS: LazyLock<Arc<Scanner>> = LazyLock::new(Arc::default);

/// Starts the watch. All helpers that make apps, clients or upstreams call it first.
pub fn start() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let sink = Sink { scanner: Arc::clone(&SECRETS), found: stop };
        tracing::subscriber::set_global_default(subscriber(sink)).expect("no other subscriber is set");
        log::set_boxed_logger(Box::new(LogCrate)).expect("no other logger is set");
        log::set_max_level(log::LevelFilter::Trace);
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            usual(panic);
            judge(panic);
        }));
        // The secret of the fake upstream, and the keys derived from it.
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

/// Searches a line that another subscriber has written.
pub fn look(line: &[u8]) {
    if let Some(found) = SECRETS.find(line) {
        stop(&found, &String::from_utf8_lossy(line));
    }
}

/// A subscriber that writes every event and every span with its fields to a sink.
pub fn subscriber(sink: Sink) -> impl tracing::Subscriber + Send + Sync {
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::NEW | FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer(sink)
        .finish()
}

/// A writer that searches each line.
#[derive(Clone, Debug)]
pub struct Sink {
    /// The secrets to look for.
    pub scanner: Arc<Scanner>,
    /// Called with the part that was found, and its line.
    pub found: fn(&str, &str),
}

impl Write for Sink {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        if let Some(found) = self.scanner.find(line) {
            (self.found)(&found, &String::from_utf8_lossy(line));
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Sink {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Searches the messages of crates that use `log` instead of `tracing`.
struct LogCrate;

impl log::Log for LogCrate {
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

/// A panic of a test makes that test fail. A panic of the library or its dependencies aborts the run.
fn judge(panic: &PanicHookInfo<'_>) {
    let file = panic.location().map_or("", |location| location.file());
    if !Path::new(file).starts_with("tests") {
        stop("a panic outside of the tests", &panic.to_string());
    }
}

/// Aborts the process, since a task could swallow a panic, or the test may be over. Writes to stderr directly, since the
/// test harness captures `eprintln!`.
fn stop(what: &str, line: &str) {
    let _ = writeln!(std::io::stderr(), "\nwatch: {what}: {line}");
    std::process::abort();
}

/// The key of Auth.js v5 (`core/jwt.ts:200-223`).
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
