//! Which parts of a request or a response are secrets: the watch is told of them before they are sent.

use reqwest::header::HeaderMap;

use crate::watch;

/// Bytes of what is taken for a secret. Tests send shorter rubbish, which words of a log line resemble.
const LEAST: usize = 12;

fn tell(value: &str) {
    if value.len() >= LEAST {
        watch::secret(value);
    }
}

/// A header of a request.
pub(crate) fn of_header(name: &str, value: &str) {
    if name.eq_ignore_ascii_case("cookie") {
        value.split(';').for_each(of_cookie);
    } else if name.eq_ignore_ascii_case("authorization") {
        tell(value.split_once(' ').map_or(value, |(_, credential)| credential).trim());
    }
}

/// `name=value`; where somebody goes after signing in is no secret.
fn of_cookie(pair: &str) {
    if let Some((name, value)) = pair.split_once('=')
        && !name.contains("callback-url")
    {
        // The CSRF cookie is two: what forms carry, and its proof.
        value.split("%7C").for_each(|part| tell(part.trim()));
    }
}

/// The one-time parts of a callback, and the password and token of a form.
pub(crate) fn of_field(name: &str, value: &str) {
    if matches!(name, "code" | "state" | "token" | "id_token" | "password" | "csrfToken") {
        tell(value);
    }
}

/// The target of a request.
pub(crate) fn of_target(target: &str) {
    let query = target.split_once('?').map_or("", |(_, query)| query);
    query.split('&').filter_map(|pair| pair.split_once('=')).for_each(|(name, value)| of_field(name, value));
}

/// A request as it is sent.
pub(crate) fn of_request(request: &str) {
    let mut lines = request.lines();
    of_target(lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default());
    lines.filter_map(|line| line.split_once(':')).for_each(|(name, value)| of_header(name, value.trim()));
}

/// What a response gives the browser to keep.
pub(crate) fn of_response(headers: &HeaderMap) {
    let cookies = headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
    cookies.filter_map(|cookie| cookie.split(';').next()).for_each(of_cookie);
}
