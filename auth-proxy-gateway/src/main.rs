//! Sign-in in front of any app, with one configuration file: `auth-proxy-gateway --config FILE`.
//!
//! The guide has a page about it:
//! <https://docs.rs/axum-auth-proxy/latest/auth_proxy/guide/gateway/index.html>.

mod admin;
mod arguments;
mod config;
mod doctor;
mod gateway;
mod logging;
mod notify;
mod routes;
mod run;
mod server;
mod services;
mod signals;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use tokio::runtime::Builder;

use crate::arguments::Command;
use crate::config::Config;
use crate::routes::Routes;

fn main() -> ExitCode {
    match arguments::read() {
        Ok(Command::Print(text)) => {
            let _ = write!(std::io::stdout(), "{text}");
            ExitCode::SUCCESS
        }
        Ok(Command::Check(file)) => in_runtime(check(&file)),
        Ok(Command::Doctor(file, json)) => in_runtime(doctor::examine(&file, json)),
        Ok(Command::Run(file)) => in_runtime(run::run(&file)),
        Err(message) => {
            let _ = writeln!(std::io::stderr(), "auth-proxy-gateway: {message}\n\n{}", arguments::USAGE);
            ExitCode::from(2)
        }
    }
}

fn in_runtime(work: impl Future<Output = ExitCode>) -> ExitCode {
    // The workers have runtimes of their own. This one accepts connections, reads signals and serves `admin_listen`. It has
    // a thread for them, since reading the file again keeps the main thread busy.
    match Builder::new_multi_thread().worker_threads(1).enable_all().build() {
        Ok(runtime) => {
            let code = runtime.block_on(work);
            // A task that hangs must not keep the process.
            runtime.shutdown_background();
            code
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "auth-proxy-gateway: cannot start: {error}");
            ExitCode::FAILURE
        }
    }
}

/// `--check`: prints every mistake and warning, or that there is none.
async fn check(file: &Path) -> ExitCode {
    let checked = Config::read(file).and_then(|config| {
        Routes::new(&config, None)?;
        Ok(config)
    });
    let (text, code) = match checked {
        Ok(config) if config.warnings.is_empty() => {
            (format!("{}: no mistakes\n", file.display()), ExitCode::SUCCESS)
        }
        Ok(config) => (config.warnings.to_string(), ExitCode::SUCCESS),
        Err(report) => (report.to_string(), ExitCode::FAILURE),
    };
    let _ = write!(std::io::stdout(), "{text}");
    code
}
