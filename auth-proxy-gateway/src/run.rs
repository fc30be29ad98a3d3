//! Runs the gateway until a signal stops it.

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing_subscriber::Registry;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::reload::Handle;

use crate::admin::Admin;
use crate::config::{Config, Report};
use crate::routes::{Routes, Shared};
use crate::server::{Listener, Workers};
use crate::signals::{Received, Signals};
use crate::{admin, logging, notify};

/// `--config FILE`: starts the gateway.
pub(crate) async fn run(file: &Path) -> ExitCode {
    let config = match Config::read(file) {
        Ok(config) => config,
        Err(report) => return refused(&report),
    };
    let level = logging::start(&config.log);
    match start(file, config, level).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Config(report)) => refused(&report),
        Err(Failure::Other(error)) => {
            tracing::error!(%error, "the gateway cannot start");
            ExitCode::FAILURE
        }
    }
}

/// Why the gateway does not start.
enum Failure {
    Config(Report),
    Other(Box<dyn std::error::Error>),
}

impl<E: Into<Box<dyn std::error::Error>>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

fn refused(report: &Report) -> ExitCode {
    let _ = write!(std::io::stderr(), "{report}");
    ExitCode::FAILURE
}

async fn start(file: &Path, config: Config, level: Handle<Targets, Registry>) -> Result<(), Failure> {
    // Without `admin_listen`, nobody asks for the metrics.
    let metrics =
        config.admin_listen.map(|address| Ok::<_, Failure>((address, admin::record()?))).transpose()?;
    let mut signals = Signals::new()?;
    let routes = Routes::new(&config, None).map_err(Failure::Config)?;
    let routes = Shared::new(routes);
    let listener = bind("listen", config.listen, &config).await?;
    let workers = Workers::for_each_core()?;
    let (stop, stops) = watch::channel(false);
    let mut serving = JoinSet::new();
    // The first line of stdout has the address: with port 0, the system chooses the port.
    let address = listener.address()?;
    if let Some((admin_listen, metrics)) = metrics {
        let admin = bind("admin_listen", admin_listen, &config).await?;
        let address = admin.address()?;
        tracing::info!(%address, "metrics and health");
        let _ = writeln!(std::io::stdout(), "admin http://{address}");
        let site = Admin::new(metrics, routes.clone(), config.server);
        serving.spawn(admin.serve(site, Workers::here(), stops.clone()));
    }
    serving.spawn(listener.serve(routes.clone(), workers, stops));
    for warning in config.warnings.lines() {
        tracing::warn!("{warning}");
    }
    tracing::info!(%address, "listening");
    let _ = writeln!(std::io::stdout(), "http://{address}");
    notify::ready();
    let mut current = config;
    while signals.next().await == Received::Reload {
        notify::reloading();
        if let Some(config) = reload(file, &current, &routes) {
            logging::set_level(&level, &config.log);
            current = config;
        }
        notify::ready();
    }
    notify::stopping();
    tracing::info!("stopping");
    let _ = stop.send(true);
    while serving.join_next().await.is_some() {}
    tracing::info!("stopped");
    Ok(())
}

async fn bind(option: &str, address: std::net::SocketAddr, config: &Config) -> Result<Listener, Failure> {
    let bound = Listener::bind(address, &config.server).await;
    bound.map_err(|error| format!("`{option}`: cannot listen on {address}: {error}").into())
}

/// Reads the file again. With a mistake, everything stays as it is.
fn reload(file: &Path, current: &Config, routes: &Shared) -> Option<Config> {
    let config = without_panic(|| -> Result<Config, Report> {
        let config = Config::read(file)?;
        config.check_reload(current)?;
        let kept = config.has_same_auth(current).then(|| routes.get().login().clone());
        routes.set(Routes::new(&config, kept)?);
        Ok(config)
    });
    match config? {
        Ok(config) => {
            for warning in config.warnings.lines() {
                tracing::warn!("{warning}");
            }
            tracing::info!("the configuration file was read again");
            Some(config)
        }
        Err(report) => {
            for mistake in report.lines() {
                tracing::error!("{mistake}");
            }
            tracing::error!("the configuration stays as it was: correct the file, and send SIGHUP again");
            None
        }
    }
}

/// Does work whose panic must not end a gateway that serves requests. `None` for a panic, which is logged.
fn without_panic<T>(work: impl FnOnce() -> T) -> Option<T> {
    // The routes are replaced by the last step, so a panic leaves none that are half made.
    let done = catch_unwind(AssertUnwindSafe(work));
    if done.is_err() {
        tracing::error!("the reload panicked: this is a bug; the old configuration stays in use");
    }
    done.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panic_of_a_reload_does_not_end_the_process() {
        assert_eq!(without_panic(|| panic!("as axum does for a path that is there twice")), None::<()>);
        assert_eq!(without_panic(|| 1), Some(1));
    }
}
