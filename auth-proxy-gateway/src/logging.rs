//! The log, on stderr: the format and the level of `[log]`.

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, Registry};

use crate::config::Log;

/// Starts the log. The handle changes its level.
pub(crate) fn start(log: &Log) -> Handle<Targets, Registry> {
    let (level, handle) = reload::Layer::new(log.level.clone());
    let writer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let format = if log.is_json { writer.json().boxed() } else { writer.with_ansi(false).boxed() };
    // `level` is a filter of the whole subscriber.
    tracing_subscriber::registry().with(level).with(format).init();
    handle
}

/// Changes the level.
pub(crate) fn set_level(handle: &Handle<Targets, Registry>, log: &Log) {
    if let Err(error) = handle.reload(log.level.clone()) {
        tracing::warn!(%error, "the level of the log cannot be changed");
    }
}
