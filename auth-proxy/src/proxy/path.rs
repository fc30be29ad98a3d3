//! The path of a request, checked before it is forwarded.

use crate::error::{AuthError, Reason};

/// Checks the raw path of a request and returns the part after the base path: empty, or beginning with `/`.
///
/// Refuses every path that some server on the way might read as another one: dot and empty segments, backslashes and
/// control characters, plain or percent-encoded (RFC 3986, section 6.2.2), encoded slashes, broken escapes, escapes of
/// escapes, bytes that are not ASCII, and escapes that are not UTF-8, such as overlong forms of a dot. All other paths
/// are forwarded byte for byte.
///
/// # Errors
/// `path_invalid`.
pub(super) fn below<'p>(path: &'p str, base: &str) -> Result<&'p str, AuthError> {
    let invalid = || AuthError::new(Reason::PATH_INVALID);
    let rest = path.strip_prefix(base).ok_or_else(invalid)?;
    if rest.is_empty() {
        return Ok(rest);
    }
    let segments = rest.strip_prefix('/').ok_or_else(invalid)?;
    let last = segments.split('/').count() - 1;
    for (n, segment) in segments.split('/').enumerate() {
        // A trailing slash is allowed: Auth.js ignores it.
        if segment.is_empty() && n != last {
            return Err(invalid());
        }
        if !is_safe(segment) {
            return Err(invalid());
        }
    }
    Ok(rest)
}

fn is_safe(segment: &str) -> bool {
    if !segment.is_ascii() {
        return false;
    }
    if !segment.contains('%') {
        return is_plain(segment.as_bytes());
    }
    decoded(segment.as_bytes()).is_some_and(|decoded| {
        let is_escape =
            |three: &[u8]| matches!(three, [b'%', digits @ ..] if digits.iter().all(u8::is_ascii_hexdigit));
        !decoded.contains(&b'/')
            && !decoded.windows(3).any(is_escape)
            && std::str::from_utf8(&decoded).is_ok()
            && is_plain(&decoded)
    })
}

/// Whether a decoded segment is an ordinary name. `.` and `..` are not, even with white space around them or before a
/// `;`, `?` or `#`, where some servers cut a segment.
fn is_plain(segment: &[u8]) -> bool {
    let name = segment.split(|byte| matches!(byte, b';' | b'?' | b'#')).next().unwrap_or_default();
    !matches!(name.trim_ascii(), b"." | b"..")
        && !segment.iter().any(|byte| *byte == b'\\' || byte.is_ascii_control())
}

/// Percent-decodes a segment. `None` if an escape is malformed.
fn decoded(segment: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(segment.len());
    let mut bytes = segment.iter().copied();
    while let Some(byte) = bytes.next() {
        decoded.push(if byte == b'%' {
            bytes.next().and_then(hex)? << 4 | bytes.next().and_then(hex)?
        } else {
            byte
        });
    }
    Some(decoded)
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_request_paths_pass_unchanged() {
        for rest in [
            "",
            "/",
            "/session",
            "/session/",
            "/callback/git%20hub",
            "/...",
            "/a.b",
            "/%c3%a4",
            "/..a",
            "/a;b",
            "/100%25",
            "/...;",
            "/%25",
            "/a%25b",
            "/a%3fb",
            "/a%20b",
            "/%e2%9c%a8",
        ] {
            assert_eq!(below(&format!("/api/auth{rest}"), "/api/auth").unwrap(), rest);
        }
    }

    #[test]
    fn ambiguous_paths_and_paths_outside_the_base_are_refused() {
        for path in [
            "/api/authx",
            "/api/auth/..",
            "/api/auth/../x",
            "/api/auth/x/..",
            "/api/auth/.",
            "/api/auth//x",
            "/api/auth/x//",
            "/api/auth//",
            "/api/auth/%2e%2e/x",
            "/api/auth/%2E./x",
            "/api/auth/.%2e",
            "/api/auth/%2e",
            "/api/auth/x%2fy",
            "/api/auth/%2F..",
            "/api/auth/\\..",
            "/api/auth/%5c..",
            "/api/auth/x%00",
            "/api/auth/%",
            "/api/auth/%2",
            "/api/auth/%zz",
            "/api/auth/ä",
            "/api/auth/%0d%0a",
            "/other",
            "/api/auth/a\\b",
            "/api/auth/..;/x",
            "/api/auth/..;a=b",
            "/api/auth/%2e%2e%3b/x",
            "/api/auth/.;",
            "/api/auth/..%3fx",
            "/api/auth/x/%2e%2e%23/y",
            "/api/auth/%252e%252e/x",
            "/api/auth/%c0%ae%c0%ae/x",
            "/api/auth/%e0%80%ae%e0%80%ae/x",
            "/api/auth/%f0%80%80%ae/x",
            "/api/auth/%c0%2e/x",
            "/api/auth/%ff",
            "/api/auth/%25%32%65%25%32%65/x",
            "/api/auth/%252%65/x",
            "/api/auth/x%25%32%66y",
            "/api/auth/..%3f",
            "/api/auth/..%23x",
            "/api/auth/..%20",
            "/api/auth/%20.",
        ] {
            let error = below(path, "/api/auth").unwrap_err();
            assert_eq!(error.code(), "path_invalid", "{path}");
        }
    }
}
