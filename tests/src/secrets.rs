//! Registers the secret parts of requests and responses with the log watch.

use reqwest::header::HeaderMap;

use crate::watch;

/// The shortest text that counts as a secret. Tests send shorter values, which also occur as words in logs.
const LEAST: usize = 12;

fn register(value: &str) {
    if value.len() >= LEAST {
        watch::secret(value);
    }
}

/// Registers the secrets of a request header.
pub(crate) fn of_header(name: &str, value: &str) {
    if name.eq_ignore_ascii_case("cookie") {
        value.split(';').for_each(of_cookie);
    } else if name.eq_ignore_ascii_case("authorization") {
        register(value.split_once(' ').map_or(value, |(_, credential)| credential).trim());
    }
}

/// Registers the value of a cookie. The callback URL is not a secret.
fn of_cookie(pair: &str) {
    if let Some((name, value)) = pair.split_once('=')
        && !name.contains("callback-url")
    {
        // The CSRF cookie has two parts: the token of the forms, and its hash.
        value.split("%7C").for_each(|part| register(part.trim()));
    }
}

/// Registers one-time values of callbacks, and passwords and tokens of forms.
pub(crate) fn of_field(name: &str, value: &str) {
    if matches!(name, "code" | "state" | "token" | "id_token" | "password" | "csrfToken") {
        register(value);
    }
}

/// Registers the secrets in a request target.
pub(crate) fn of_target(target: &str) {
    let query = target.split_once('?').map_or("", |(_, query)| query);
    query.split('&').filter_map(|pair| pair.split_once('=')).for_each(|(name, value)| of_field(name, value));
}

/// Registers the secrets of a raw request.
pub(crate) fn of_request(request: &str) {
    let mut lines = request.lines();
    of_target(lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default());
    lines.filter_map(|line| line.split_once(':')).for_each(|(name, value)| of_header(name, value.trim()));
}

/// Registers the cookies of a response.
pub(crate) fn of_response(headers: &HeaderMap) {
    let cookies = headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
    cookies.filter_map(|cookie| cookie.split(';').next()).for_each(of_cookie);
}
