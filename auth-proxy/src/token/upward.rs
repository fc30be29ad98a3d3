use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

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

/// Characters of one chunk, before they are percent-encoded (`core/lib/utils/cookie.ts:26-29`).
const CHUNK: usize = 3936;

/// The `Cookie` header of a `/session` lookup: the session token, and the browser's own CSRF and
/// callback-URL cookies, byte for byte, so that the upstream mints no new ones. Nothing else that
/// the browser sent goes up.
pub(crate) fn auth_cookies(headers: &HeaderMap, name: &str, token: &str) -> Result<HeaderValue, TokenError> {
    let mut line = Zeroizing::new(Vec::with_capacity(token.len() + name.len() + 64));
    for (n, chunk) in chunks(token).enumerate() {
        separate(&mut line);
        line.extend_from_slice(name.as_bytes());
        if chunk.len() < token.len() {
            line.extend_from_slice(format!(".{n}").as_bytes());
        }
        line.push(b'=');
        utf8_percent_encode(chunk, COOKIE_VALUE).for_each(|text| line.extend_from_slice(text.as_bytes()));
    }
    for pair in headers.get_all(COOKIE).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b';')) {
        let pair = pair.trim_ascii();
        let key = pair.iter().position(|byte| *byte == b'=').and_then(|equals| pair.get(..equals));
        if key.is_some_and(|key| is_companion(key.trim_ascii_end(), name)) {
            separate(&mut line);
            line.extend_from_slice(pair);
        }
    }
    let mut value = HeaderValue::from_bytes(&line).map_err(|_| TokenError::Malformed)?;
    value.set_sensitive(true);
    Ok(value)
}

fn separate(line: &mut Vec<u8>) {
    if !line.is_empty() {
        line.extend_from_slice(b"; ");
    }
}

/// A token in the pieces that Auth.js stores it in. They are cut first and encoded then, since the
/// upstream decodes each one by itself: no escape may be cut in two.
fn chunks(token: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(token);
    std::iter::from_fn(move || {
        let text = rest?;
        let (chunk, after) = match text.char_indices().nth(CHUNK) {
            Some((at, _)) => text.split_at(at),
            None => (text, ""),
        };
        rest = if after.is_empty() { None } else { Some(after) };
        Some(chunk)
    })
}

/// Whether a cookie goes with this session cookie: the CSRF token or the callback URL of the same
/// family, under one of the names that Auth.js gives it (`core/lib/utils/cookie.ts:59-131`). A
/// session cookie with a name of its own says nothing of the family.
fn is_companion(key: &[u8], session: &str) -> bool {
    let families: &[&str] = match session.strip_prefix("__Secure-").unwrap_or(session) {
        "authjs.session-token" => &["authjs"],
        "next-auth.session-token" => &["next-auth"],
        _ => &["authjs", "next-auth"],
    };
    let Ok(key) = std::str::from_utf8(key) else { return false };
    families.iter().any(|family| {
        let (prefix, kind) = key.split_once(family).unwrap_or_default();
        matches!((prefix, kind), ("" | "__Host-", ".csrf-token") | ("" | "__Secure-", ".callback-url"))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
    fn companions_go_by_their_exact_names() {
        let goes = |key: &str, session: &str| is_companion(key.as_bytes(), session);
        for (key, session) in [
            ("authjs.csrf-token", "authjs.session-token"),
            ("__Host-authjs.csrf-token", "__Secure-authjs.session-token"),
            ("authjs.callback-url", "authjs.session-token"),
            ("__Secure-authjs.callback-url", "__Secure-authjs.session-token"),
            ("__Host-next-auth.csrf-token", "next-auth.session-token"),
            ("__Secure-next-auth.callback-url", "my.session"),
            ("authjs.csrf-token", "my.session"),
            ("authjs.csrf-token", "myauthjs.session-token"),
            ("next-auth.csrf-token", "myauthjs.session-token"),
        ] {
            assert!(goes(key, session), "{key} with {session}");
        }
        for key in [
            "next-auth.csrf-token",
            "__Secure-authjs.csrf-token",
            "__Host-authjs.callback-url",
            "__secure-authjs.callback-url",
            "authjs.csrf-tokens",
            "authjs.csrf-token.0",
            "xauthjs.csrf-token",
            "authjs.authjs.csrf-token",
            "authjs.state",
            "authjs.pkce.code_verifier",
            "authjs.session-token",
            "csrf-token",
            "",
        ] {
            assert!(!goes(key, "authjs.session-token"), "{key}");
        }
    }

    #[test]
    fn companions_pass_byte_for_byte() {
        let mut headers = HeaderMap::new();
        let line = b"authjs.csrf-token; authjs.csrf-token = \"a%7cb\xff\" ;authjs.callback-url=a=b";
        headers.append(COOKIE, HeaderValue::from_bytes(line).unwrap());
        let sent = auth_cookies(&headers, "authjs.session-token", "t").unwrap();
        let expected = b"authjs.session-token=t; authjs.csrf-token = \"a%7cb\xff\"; authjs.callback-url=a=b";
        assert_eq!(sent.as_bytes(), expected);
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

    #[test]
    fn one_more_character_makes_two_chunks() {
        let names = |length: usize| {
            let line = auth_cookies(&HeaderMap::new(), "s", &"%".repeat(length)).unwrap();
            let line = line.to_str().unwrap();
            line.split("; ").map(|pair| pair.split_once('=').unwrap().0.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(CHUNK), ["s"]);
        assert_eq!(names(CHUNK + 1), ["s.0", "s.1"]);
    }

    proptest! {
        #[test]
        fn what_is_sent_is_read_again(token in "(\\PC{1,40}){1,9}", times in 1_usize..300) {
            let token = token.repeat(times);
            prop_assume!(token.len() < 20_000);
            let mut headers = HeaderMap::new();
            headers.append(COOKIE, auth_cookies(&HeaderMap::new(), "s", &token).unwrap());
            let read = crate::token::read(&headers, "s", false).unwrap().unwrap();
            prop_assert_eq!(read.candidates().collect::<Vec<_>>(), [token.as_str()]);
        }
    }
}
