use std::sync::LazyLock;

use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderValue};

use crate::world::{self, Auth};

static AUTH: LazyLock<Auth> = LazyLock::new(|| world::builder().build().unwrap());

/// Input: `Cookie` lines; a line that begins with `!` is an `Authorization` line.
///
/// Property: the token that is found was sent, complete or in chunks.
pub fn cookies(data: &[u8]) {
    let mut headers = HeaderMap::new();
    let mut sent = Vec::new();
    for line in data.split(|byte| *byte == b'\n') {
        let (name, line) = match line.strip_prefix(b"!") {
            Some(line) => (AUTHORIZATION, line),
            None => (COOKIE, line),
        };
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(name, value);
            sent.extend_from_slice(line);
        }
    }
    let Ok(Some(token)) = AUTH.raw_token(&headers) else { return };
    assert!(!token.as_str().is_empty());
    // A percent escape may decode to a byte that is not in the input, so the rest of the property does not apply.
    if sent.contains(&b'%') {
        return;
    }
    let found = token.as_str().as_bytes();
    let whole = |part: &[u8]| sent.windows(part.len()).any(|window| window == part);
    let names = |name: &[u8]| whole(&[world::COOKIE.as_bytes(), name].concat());
    if !whole(found) {
        assert!(names(b".0"), "the token was joined, but there are no chunks");
        assert!(found.iter().all(|byte| sent.contains(byte)), "a byte of the token was never sent");
    }
    let bearer = headers.get_all(AUTHORIZATION).iter().any(|value| value.as_bytes().starts_with(b"Bearer "));
    assert!(bearer || names(b""), "a token without a session cookie or a Bearer header");
}
