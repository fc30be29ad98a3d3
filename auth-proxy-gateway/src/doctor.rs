//! `doctor`: what is wrong with the deployment, and what to change.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::config::wording::toml_wording;
use crate::config::{App, Config};
use crate::services;

/// How long connecting to the app may take, unless the file says.
const PATIENCE: Duration = Duration::from_secs(5);

/// Prints the report. The exit code is 1 if something is wrong.
pub(crate) async fn examine(file: &Path, json: bool) -> ExitCode {
    let read = Config::read(file).and_then(|config| Ok((services::gateway(&config)?, config)));
    let (gateway, config) = match read {
        Ok(read) => read,
        Err(report) => {
            let _ = write!(std::io::stderr(), "{report}");
            return ExitCode::FAILURE;
        }
    };
    let report = gateway.check().await;
    let app = match &config.app {
        Some(app) => Some((app.url.to_string(), connects(app).await)),
        None => None,
    };
    let is_ok = report.is_ok() && app.as_ref().is_none_or(|(_, connects)| connects.is_ok());
    let text = if json {
        let app = app.map(|(url, connects)| json!({ "url": url, "error": connects.err() }));
        format!("{}\n", json!({ "ok": is_ok, "sign_in": report, "app": app }))
    } else {
        // Before the report, whose last line is `ok` or the number of what was found.
        let app = app.map(|(url, connects)| match connects {
            Ok(()) => format!("app: {url} accepts connections\n"),
            Err(error) => format!(
                "error app_unreachable: the app cannot be reached\n  seen:   connecting to {url} failed: {error}\n  change: \
                 start the app, or set `url` in `[app]`\n\n"
            ),
        });
        let report = toml_wording(&report.to_string());
        let report = if is_ok { report.as_str() } else { report.strip_suffix("\n\nok").unwrap_or(&report) };
        format!("{}{report}\n", app.unwrap_or_default())
    };
    let _ = write!(std::io::stdout(), "{text}");
    if is_ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Opens a connection to the app, and sends nothing.
async fn connects(app: &App) -> Result<(), String> {
    let limit = app.connect_timeout.unwrap_or(PATIENCE);
    let connecting = async {
        match &app.url.socket {
            #[cfg(unix)]
            Some(socket) => tokio::net::UnixStream::connect(socket).await.map(drop),
            _ => TcpStream::connect((app.url.origin.host(), app.url.origin.port())).await.map(drop),
        }
    };
    match timeout(limit, connecting).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {limit:?}")),
    }
}
