//! Builds the services that a configuration describes.

use auth_proxy::options::{ConfigError, ConfigProblem};
use auth_proxy::reverse_proxy::ReverseProxy;
use auth_proxy::verdict::Verdict;
use auth_proxy_rules::is_below;
use axum::Router;

use crate::config::wording::toml_wording;
use crate::config::{Config, Mistake, Report};
use crate::gateway::Gateway;

/// The proxy of the options.
///
/// # Errors
/// Mistakes that show only then, such as a secret that is no key.
pub(crate) fn gateway(config: &Config) -> Result<Gateway, Report> {
    config.auth.builder().build().map_err(|error| {
        let mistake = |problem: &ConfigProblem| Mistake {
            span: config.auth.place(problem.option()).unwrap_or(0..0),
            message: toml_wording(&format!("`{}`: {}", problem.option(), problem.message())),
        };
        let mistakes: Vec<Mistake> = error.problems().iter().map(mistake).collect();
        config.report(&mistakes)
    })
}

/// The decision about requests, and what the app is told of visitors.
pub(crate) fn verdict(config: &Config, gateway: &Gateway) -> Verdict<Gateway> {
    let mut verdict = gateway.verdict().rules(config.rules.clone());
    if let Some(headers) = &config.verdict.headers {
        verdict = verdict.identity_headers(headers.clone());
    }
    if let Some((path, _)) = &config.verdict.path {
        // `at` refuses no path that the reader accepted.
        verdict = verdict.clone().at(path).unwrap_or(verdict);
    }
    if let Some(token) = &config.verdict.token {
        verdict = verdict.signed_token(token.clone());
    }
    if config.verdict.refuses_cross_origin { verdict.refuse_cross_origin() } else { verdict }
}

/// The routes of the verdict endpoint. In front of an app, visitors reach every path, so the questions are answered only
/// if the file asks for that.
///
/// # Errors
/// When the path overlaps the sign-in routes.
pub(crate) fn verdict_routes(
    config: &Config,
    gateway: &Gateway,
    verdict: &Verdict<Gateway>,
) -> Result<Router, Report> {
    let written = config.verdict.path.as_ref();
    let answers_questions = config.app.is_none() || written.is_some();
    if !answers_questions && config.verdict.token.is_none() {
        return Ok(Router::new());
    }
    let auth = gateway.config();
    let bases = [("base_path", auth.base_path()), ("upstream.base_path", auth.upstream_base_path())];
    if let Some((option, base)) = bases.into_iter().find(|(_, base)| overlap(base, verdict.path())) {
        let span = written.map(|(_, span)| span.clone()).or_else(|| config.auth.place(option));
        let message = format!(
            "the verdict endpoint overlaps the sign-in routes at `{base}`: write another path, such as \
             `path = \"/internal/verdict\"`, in `[verdict]`"
        );
        return Err(config.report(&[Mistake { span: span.unwrap_or(0..0), message }]));
    }
    Ok(if answers_questions { verdict.router() } else { verdict.key_set_router() })
}

/// The service that forwards requests to the app. `None` without `[app]`.
///
/// # Errors
/// When its client cannot be made.
pub(crate) fn reverse_proxy(config: &Config, gateway: &Gateway) -> Result<Option<ReverseProxy>, Report> {
    let Some(app) = &config.app else { return Ok(None) };
    let mut proxy = gateway.reverse_proxy(app.url.to_string());
    if let Some(connect_timeout) = app.connect_timeout {
        proxy = proxy.connect_timeout(connect_timeout);
    }
    if let Some(timeout) = app.timeout {
        proxy = proxy.timeout(timeout);
    }
    if let Some(idle_timeout) = app.idle_timeout {
        proxy = proxy.idle_timeout(idle_timeout);
    }
    if let Some(preserves_host) = app.preserves_host {
        proxy = proxy.preserve_host(preserves_host);
    }
    if let Some(passes_session) = app.passes_session {
        proxy = proxy.pass_session(passes_session);
    }
    let failed = |error: ConfigError| {
        let message =
            error.problems().first().map(|problem| problem.message().to_owned()).unwrap_or_default();
        config.report(&[Mistake { span: app.span.clone(), message: format!("`app.url`: {message}") }])
    };
    proxy.build().map(Some).map_err(failed)
}

/// Whether two paths are the same, or one is below the other.
fn overlap(one: &str, other: &str) -> bool {
    is_below(one, other) || is_below(other, one)
}
