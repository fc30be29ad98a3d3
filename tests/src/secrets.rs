//! Registers the secret parts of requests and responses with the log watch.

use reqwest::header::HeaderMap;

use crate::watch;

/// The minimum length of a registered value. Tests also send shorter values, which occur in logs as ordinary words.
const MIN_LENGTH: usize = 12;

fn register_value(value: &str) {
    if value.len() >= MIN_LENGTH {
        watch::secret(value);
    }
}

/// Registers the secrets of a request header.
pub(crate) fn register_header(name: &str, value: &str) {
    if name.eq_ignore_ascii_case("cookie") {
        value.split(';').for_each(register_cookie);
    } else if name.eq_ignore_ascii_case("authorization") {
        register_value(value.split_once(' ').map_or(value, |(_, credential)| credential).trim());
    }
}

/// Registers the value of a cookie, except of the callback URL cookie, which is no secret.
fn register_cookie(pair: &str) {
    if let Some((name, value)) = pair.split_once('=')
        && !name.contains("callback-url")
    {
        // The CSRF cookie contains the token that forms send, and its hash.
        value.split("%7C").for_each(|part| register_value(part.trim()));
    }
}

/// Registers a field of a query or a form: a one-time value of a callback, a password or a token.
pub(crate) fn register_field(name: &str, value: &str) {
    if matches!(name, "code" | "state" | "token" | "id_token" | "password" | "csrfToken") {
        register_value(value);
    }
}

/// Registers the secrets in a request target.
pub(crate) fn register_target(target: &str) {
    let query = target.split_once('?').map_or("", |(_, query)| query);
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .for_each(|(name, value)| register_field(name, value));
}

/// Registers the secrets of a raw request.
pub(crate) fn register_request(request: &str) {
    let mut lines = request.lines();
    register_target(lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default());
    lines
        .filter_map(|line| line.split_once(':'))
        .for_each(|(name, value)| register_header(name, value.trim()));
}

/// Registers the cookies of a response.
pub(crate) fn register_response(headers: &HeaderMap) {
    let cookies = headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
    cookies.filter_map(|cookie| cookie.split(';').next()).for_each(register_cookie);
}
