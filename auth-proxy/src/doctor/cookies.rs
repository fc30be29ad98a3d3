//! Compares the name of the session cookie with that which the upstream clears.

use bytes::Bytes;
use http::{Response, StatusCode};

use super::code::Code;
use super::finding::{Finding, Unchecked};
use crate::config::Strategy;
use crate::cookie::{SetCookieKind, received, without_prefix};
use crate::dialect::{Probes, Server};
use crate::provider::Shared;

/// What the upstream's answer to [`Probes::clearing`] says of its cookies.
pub(super) struct Cleared {
    pub(super) names: Vec<String>,
    /// Why it says nothing.
    unknown_because: Option<String>,
}

impl Cleared {
    pub(super) fn of(answer: Option<&Response<Bytes>>) -> Self {
        let Some(answer) = answer else {
            return Self {
                names: Vec::new(),
                unknown_because: Some("there was no answer to a lookup in time".to_owned()),
            };
        };
        let cookies = received(answer.headers()).into_iter();
        let cleared = cookies.filter(|cookie| cookie.kind == SetCookieKind::Clears);
        let names = cleared.map(|cookie| cookie.name).collect();
        let is_ok = answer.status() == StatusCode::OK;
        let unknown_because =
            (!is_ok).then(|| format!("the answer to a request without a session is {}", answer.status()));
        Self { names, unknown_because }
    }
}

/// The names of all cookies that these answers set or clear.
pub(super) fn all_names<'a>(answers: impl IntoIterator<Item = Option<&'a Response<Bytes>>>) -> Vec<String> {
    let cookies = answers.into_iter().flatten().flat_map(|answer| received(answer.headers()));
    cookies.map(|cookie| cookie.name).collect()
}

/// Whether the upstream reads the session cookie under a configured name.
///
/// # Errors
/// The reason why that is unknown.
pub(super) fn check_name(
    shared: &Shared,
    probes: &dyn Probes,
    server: Server,
    cleared: &Cleared,
) -> Result<Option<Finding>, Unchecked> {
    let settings = &shared.settings;
    let configured: Vec<&str> = settings.cookie_names.all().collect();
    if configured.is_empty() || configured.iter().any(|name| cleared.names.iter().any(|own| own == name)) {
        return Ok(None);
    }
    if let Some(unknown_because) = &cleared.unknown_because {
        return Err(Unchecked::new("cookie_name", unknown_because.clone()));
    }
    let expected = listed(&configured);
    let Some(name) = probes.session_cookie(&cleared.names) else {
        return nothing_cleared(settings.strategy, probes, server, &expected);
    };
    let evidence = format!("the session cookie of the server is `{name}`, and this app reads {expected}");
    let write = format!("write `upstream.cookie_name: \"{name}\"`");
    let bare = without_prefix(name);
    if !configured.iter().any(|own| without_prefix(own) == bare) {
        return Ok(Some(Finding::new(Code::COOKIE_NAME_WRONG, evidence, write)));
    }
    let rule = server.prefix_rule();
    let change = match &settings.public_url {
        None if name.len() > bare.len() => {
            format!("write the https origin of this app as `public_url`; {rule}")
        }
        Some(public) if !public.https && name.len() > bare.len() => {
            format!("write the https origin of this app as `public_url`, if browsers use https; {rule}")
        }
        _ => format!("{write}; {rule}"),
    };
    Ok(Some(Finding::new(Code::COOKIE_PREFIX_WRONG, evidence, change)))
}

fn nothing_cleared(
    strategy: Strategy,
    probes: &dyn Probes,
    server: Server,
    expected: &str,
) -> Result<Option<Finding>, Unchecked> {
    if !probes.hides_failures() {
        return Err(Unchecked::new("cookie_name", "the server clears no cookie at a sign-out"));
    }
    let evidence =
        format!("the server ignores a cookie with the name {expected}, and with any of its default names");
    let write = format!(
        "write the name of its session cookie as `upstream.cookie_name`: it is {} in the configuration of the server",
        server.cookie_name_setting()
    );
    Ok(Some(match strategy {
        Strategy::Jwt => Finding::new(Code::COOKIE_NAME_WRONG, evidence, write),
        _ => Finding::new(
            Code::SESSION_COOKIE_IGNORED,
            evidence,
            format!("look for errors of the database in the log of the server; without any, {write}"),
        ),
    }))
}

/// `a` or `b`.
fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ")
}
