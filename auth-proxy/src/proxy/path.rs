//! The path of a request, checked before it is forwarded.

use crate::error::{AuthError, Reason};
use crate::path::is_safe;

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
    let last = segments.bytes().filter(|byte| *byte == b'/').count();
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
