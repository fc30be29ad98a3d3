//! Watches all that this process logs, of every crate and at every level, for the secrets that its tests use; and
//! for panics that are no test's. Either ends the process at once: no run can pass with one.

use std::io::Write;
use std::panic::PanicHookInfo;
use std::path::Path;
use std::sync::{Arc, LazyLock, Once};

use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::scanner::Scanner;

static SECRETS: LazyLock<Arc<Scanner>> = LazyLock::new(Arc::default);

/// Starts to watch. Everything here that makes apps, clients and upstreams does so first.
pub fn start() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let sink = Sink { scanner: Arc::clone(&SECRETS), found: stop };
        tracing::subscriber::set_global_default(subscriber(sink)).expect("nobody else watches");
        log::set_boxed_logger(Box::new(LogCrate)).expect("nobody else listens");
        log::set_max_level(log::LevelFilter::Trace);
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            usual(panic);
            judge(panic);
        }));
        // The fake upstream's, and what is made of it.
        let fake = "a fake secret that is long enough";
        secret(fake);
        for name in ["authjs.session-token", "__Secure-authjs.session-token"] {
            SECRETS.add(&derived_key(fake, name));
        }
        // The API key of the suite's app.
        secret("k3y");
    });
}

/// Tells of a secret that is in use from now on.
pub fn secret(secret: &str) {
    SECRETS.add(secret.as_bytes());
}

/// Looks through a line that another subscriber has written.
pub fn look(line: &[u8]) {
    if let Some(found) = SECRETS.find(line) {
        stop(&found, &String::from_utf8_lossy(line));
    }
}

/// Every event, and every span with its fields, as text for a sink.
pub fn subscriber(sink: Sink) -> impl tracing::Subscriber + Send + Sync {
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::NEW | FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer(sink)
        .finish()
}

/// Where lines are looked through.
#[derive(Clone, Debug)]
pub struct Sink {
    /// What to look for.
    pub scanner: Arc<Scanner>,
    /// What to do with a secret, and the line it is in.
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

/// The crates that log without tracing.
struct LogCrate;

impl log::Log for LogCrate {
    fn enabled(&self, meta: &log::Metadata<'_>) -> bool {
        // The cookie jar of the tests' own browser, which the library does not have.
        !meta.target().starts_with("cookie_store")
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            look(format!("{} {}", record.target(), record.args()).as_bytes());
        }
    }

    fn flush(&self) {}
}

/// A test may panic, and fails by it; the library and what it is built of may not.
fn judge(panic: &PanicHookInfo<'_>) {
    let file = panic.location().map_or("", |location| location.file());
    if !Path::new(file).starts_with("tests") {
        stop("a panic outside of the tests", &panic.to_string());
    }
}

/// Ends the process: an error that a task swallows, or a test that is over, would hide it. Written past the test
/// harness, which keeps to itself what a test prints.
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
