//! The CSRF and callback-URL cookies of Auth.js.

use std::fmt::Write as _;

use aws_lc_rs::{digest, rand};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::state::SeenRequest;

/// The CSRF token of a browser (`docs/authjs.md#csrf`).
pub(super) struct Csrf {
    pub(super) token: String,
    /// Whether the browser sent it. If it did, no new cookie is set.
    pub(super) sent: bool,
}

impl Csrf {
    /// Whether a cookie's value is a token with its hash under this secret.
    pub(super) fn is_genuine(value: &str, secret: &str) -> bool {
        value.split_once('|').is_some_and(|(token, hash)| hash == Self::hash(token, secret))
    }

    pub(super) fn hash(token: &str, secret: &str) -> String {
        hex(digest::digest(&digest::SHA256, format!("{token}{secret}").as_bytes()).as_ref())
    }
}

/// The `Set-Cookie` value of the callback URL, in a cookie of this name.
pub(super) fn callback_cookie(name: &str, url: &str) -> String {
    let url = utf8_percent_encode(url, NON_ALPHANUMERIC);
    format!("{name}={url}; Path=/; HttpOnly; SameSite=Lax")
}

/// The percent-decoded value of a request's cookie.
pub(super) fn cookie(seen: &SeenRequest, name: &str) -> Option<String> {
    cookies(seen).into_iter().find(|(own, _)| own == name).map(|(_, value)| value)
}

/// Names and percent-decoded values of a request's cookies, in order.
pub(super) fn cookies(seen: &SeenRequest) -> Vec<(String, String)> {
    let decoded = |value: &str| percent_decode_str(value).decode_utf8_lossy().into_owned();
    seen.headers
        .get_all(http::header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .map(|(name, value)| (name.to_owned(), decoded(value.trim_matches('"'))))
        .collect()
}

/// 32 random bytes in hexadecimal digits.
pub(super) fn random_hex() -> String {
    let mut bytes = [0; 32];
    // This fails only if the kernel has no randomness. A fake may then repeat a value.
    let _ = rand::fill(&mut bytes);
    hex(&bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}
