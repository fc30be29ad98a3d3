//! Captures logs, for tests that make assertions on them.

use std::io::Write;
use std::sync::{Arc, Mutex};

use tracing::subscriber::DefaultGuard;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::watch;

/// Captures all logs of the current thread, at every level, until it is dropped. The log watch also searches them.
#[derive(Debug)]
pub struct LogCapture {
    text: Buffer,
    _guard: DefaultGuard,
}

impl LogCapture {
    /// Starts to capture.
    #[must_use]
    pub fn start() -> Self {
        watch::start();
        let text = Buffer::default();
        // Without the spans around an event, whose fields would stand before its message.
        let events = filter_fn(|metadata| metadata.is_event());
        let format = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(text.clone());
        let subscriber = tracing_subscriber::registry().with(format.with_filter(events));
        Self { text, _guard: tracing::subscriber::set_default(subscriber) }
    }

    /// The text of all logs so far.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8(self.text.0.lock().unwrap().clone()).unwrap()
    }

    /// The number of occurrences of these words in the logs so far.
    #[must_use]
    pub fn times(&self, words: &str) -> usize {
        self.text().matches(words).count()
    }
}

#[derive(Clone, Debug, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        watch::look(bytes);
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Buffer {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
