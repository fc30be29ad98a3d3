//! Tells systemd what the gateway does (`Type=notify`). Without `NOTIFY_SOCKET` nothing is told.

use sd_notify::NotifyState;

/// The gateway listens, or goes on after a reload.
pub(crate) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The configuration file is read again.
pub(crate) fn reloading() {
    // systemd wants the time at which the reload began, to tell it from an earlier one (sd_notify(3)).
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::debug!(%error, "the monotonic clock cannot be read"),
    }
}

/// The gateway stops once its requests are answered.
pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "systemd cannot be told");
    }
}
