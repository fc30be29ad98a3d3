use crate::error::{AuthError, Reason};

/// Checks the raw path of a request and returns what follows the base path: empty or `/..`.
///
/// Refuses whatever some server or client on the way might read as another path: dot and empty
/// segments, backslashes and NUL, plain or percent-encoded (RFC 3986, section 6.2.2), encoded
/// slashes, broken escapes, and bytes that are not ASCII. What passes is forwarded byte for byte.
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
        // A trailing slash is fine: Auth.js takes it.
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
    let mut bytes = segment.bytes();
    // The name of the segment, without what some servers take off it: parameters at the first `;`, and a
    // query or fragment where they take a decoded path for a URL.
    let (mut length, mut only_dots, mut named) = (0, true, true);
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'%' => match decoded(&mut bytes) {
                Some(byte) => byte,
                None => return false,
            },
            byte if byte.is_ascii() => byte,
            _ => return false,
        };
        if byte == b'\\' || byte.is_ascii_control() {
            return false;
        }
        named &= !matches!(byte, b';' | b'?' | b'#');
        if named {
            length += 1;
            only_dots &= byte == b'.';
        }
    }
    !(only_dots && matches!(length, 1 | 2))
}

/// The byte of an escape, unless it is one that reads as something else once more: a slash, the beginning
/// of another escape, or the beginning of an overlong form of an ASCII character (RFC 3629, section 3).
fn decoded(bytes: &mut (impl Iterator<Item = u8> + Clone)) -> Option<u8> {
    let byte = bytes.next().and_then(hex)? << 4 | bytes.next().and_then(hex)?;
    let is_escape = byte == b'%' && bytes.clone().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    (!is_escape && !matches!(byte, b'/' | 0xc0 | 0xc1)).then_some(byte)
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_ordinary_paths_untouched() {
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
        ] {
            assert_eq!(below(&format!("/api/auth{rest}"), "/api/auth").unwrap(), rest);
        }
    }

    #[test]
    fn refuses_every_way_out() {
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
        ] {
            let error = below(path, "/api/auth").unwrap_err();
            assert_eq!(error.code(), "path_invalid", "{path}");
        }
    }
}
