use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::error::TokenError;

/// What `encodeURIComponent` leaves alone, which is how Auth.js writes cookies.
const COOKIE_VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// Bytes of the value of one chunk (`core/lib/utils/cookie.ts:26-29`).
const CHUNK: usize = 3936;

/// The `Cookie` header of a `/session` lookup: the session token, and the browser's own CSRF and
/// callback-URL cookies, byte for byte, so that the upstream mints no new ones. Nothing else that
/// the browser sent goes up.
pub(crate) fn auth_cookies(headers: &HeaderMap, name: &str, token: &str) -> Result<HeaderValue, TokenError> {
    let value: String = utf8_percent_encode(token, COOKIE_VALUE).collect();
    let mut line = Vec::with_capacity(value.len() + name.len() + 2);
    let mut push = |pair: &[&[u8]]| {
        if !line.is_empty() {
            line.extend_from_slice(b"; ");
        }
        pair.iter().for_each(|part| line.extend_from_slice(part));
    };
    if value.len() <= CHUNK {
        push(&[name.as_bytes(), b"=", value.as_bytes()]);
    } else {
        for (n, chunk) in value.as_bytes().chunks(CHUNK).enumerate() {
            push(&[name.as_bytes(), format!(".{n}=").as_bytes(), chunk]);
        }
    }
    for pair in headers.get_all(COOKIE).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b';')) {
        let pair = pair.trim_ascii();
        if pair.split(|byte| *byte == b'=').next().is_some_and(|key| is_companion(key, name)) {
            push(&[pair]);
        }
    }
    let mut value = HeaderValue::from_bytes(&line).map_err(|_| TokenError::Malformed)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Whether a cookie goes with this session cookie: same family, any prefix
/// (`core/lib/utils/cookie.ts:59-131`). A session cookie with a name of its own says nothing of the
/// family.
fn is_companion(key: &[u8], session: &str) -> bool {
    let Ok(key) = std::str::from_utf8(key) else { return false };
    let key = ["__Secure-", "__Host-"].iter().find_map(|prefix| key.strip_prefix(prefix)).unwrap_or(key);
    let families: &[&str] = if session.ends_with("next-auth.session-token") {
        &["next-auth"]
    } else if session.ends_with("authjs.session-token") {
        &["authjs"]
    } else {
        &["authjs", "next-auth"]
    };
    families.iter().any(|family| {
        key.strip_prefix(family).is_some_and(|kind| matches!(kind, ".csrf-token" | ".callback-url"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sends_the_token_and_its_companions_only() {
        let mut headers = HeaderMap::new();
        headers.append(
            COOKIE,
            "other=1; authjs.session-token=stale; __Host-authjs.csrf-token=a%7Cb; next-auth.csrf-token=x"
                .parse()
                .unwrap(),
        );
        headers.append(COOKIE, "authjs.callback-url=http%3A%2F%2Fa; authjs.state=s".parse().unwrap());
        let line = auth_cookies(&headers, "authjs.session-token", "a b").unwrap();
        assert_eq!(
            line.as_bytes(),
            b"authjs.session-token=a%20b; __Host-authjs.csrf-token=a%7Cb; authjs.callback-url=http%3A%2F%2Fa"
        );
        assert!(line.is_sensitive());
    }

    #[test]
    fn long_tokens_go_in_chunks() {
        let token = "x".repeat(2 * CHUNK + 1);
        let line = auth_cookies(&HeaderMap::new(), "s", &token).unwrap();
        let line = line.to_str().unwrap();
        let sizes: Vec<_> =
            line.split("; ").map(|pair| pair.split_once('=').map(|(n, v)| (n, v.len())).unwrap()).collect();
        assert_eq!(sizes, [("s.0", CHUNK), ("s.1", CHUNK), ("s.2", 1)]);
    }
}
