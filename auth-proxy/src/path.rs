//! Segments of raw paths: which of them every server reads in the same way.
//!
//! Imports the rooms: none.
//! Does without the crates: `axum`, `http`, `hyper`, `jsonwebtoken`, `serde`, `tokio`, `tower`, `tracing`.

use std::borrow::Cow;

/// Whether every server on the way reads a segment in the same way.
///
/// Unsafe are dot segments, backslashes and control characters, plain or percent-encoded (RFC 3986, section 6.2.2), encoded
/// slashes, broken escapes, escapes of escapes, bytes that are not ASCII, and escapes that are not UTF-8, such as overlong
/// forms of a dot.
pub(crate) fn is_safe(segment: &str) -> bool {
    if !segment.is_ascii() {
        return false;
    }
    if !segment.contains('%') {
        return is_plain(segment.as_bytes());
    }
    decoded(segment.as_bytes()).is_some_and(|decoded| {
        !decoded.contains(&b'/')
            && !has_escape(&decoded)
            && std::str::from_utf8(&decoded).is_ok()
            && is_plain(&decoded)
    })
}

/// Whether decoded text has an escape, which a server that decodes twice would decode.
fn has_escape(decoded: &[u8]) -> bool {
    let is_escape =
        |three: &[u8]| matches!(three, [b'%', digits @ ..] if digits.iter().all(u8::is_ascii_hexdigit));
    decoded.windows(3).any(is_escape)
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

/// The text of a segment, percent-decoded. `None` if it is not safe.
///
/// As in [`is_safe`], but it may contain encoded slashes. Each part between them is safe and not empty.
pub(crate) fn text(segment: &str) -> Option<Cow<'_, str>> {
    if is_safe(segment) && !segment.contains('%') {
        return Some(Cow::Borrowed(segment));
    }
    let decoded = decoded(segment.as_bytes())?;
    let text = String::from_utf8(decoded).ok()?;
    let is_part = |part: &str| !part.is_empty() && is_plain(part.as_bytes());
    (segment.is_ascii() && !has_escape(text.as_bytes()) && text.split('/').all(is_part))
        .then_some(Cow::Owned(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_segment_is_decoded_once_and_may_have_encoded_slashes() {
        for (segment, expected) in [
            ("a", Some("a")),
            ("a%20b", Some("a b")),
            ("%c3%a4", Some("ä")),
            ("100%25", Some("100%")),
            ("a%2Fb", Some("a/b")),
            ("a;b=c", Some("a;b=c")),
            ("c%23", Some("c#")),
            ("..", None),
            ("%2e%2e", None),
            ("..;x", None),
            ("%2e%3fx", None),
            ("a%2f..", None),
            ("a%2F%2Fb", None),
            ("%2Fa", None),
            ("a%2F", None),
            ("a%5Cb", None),
            ("a\\b", None),
            ("a%00", None),
            ("a%0a", None),
            ("%2541", None),
            ("%", None),
            ("%zz", None),
            ("%ff", None),
            ("%c0%af", None),
            ("ä", None),
        ] {
            assert_eq!(text(segment).as_deref(), expected, "{segment}");
        }
    }
}
