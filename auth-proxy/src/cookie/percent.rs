//! Percent-encodes and decodes cookie values as JavaScript's `encodeURIComponent` and `decodeURIComponent` do.

use std::borrow::Cow;

use memchr::memchr;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_decode_str, utf8_percent_encode};

/// The characters that `encodeURIComponent` encodes. Auth.js and Better Auth write cookies with this function.
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

/// Percent-encodes a value, in parts.
pub(crate) fn encoded(value: &str) -> PercentEncode<'_> {
    utf8_percent_encode(value, COOKIE_VALUE)
}

/// Percent-decodes a value, or returns it unchanged if that fails (`docs/authjs.md#cookie-parse`).
pub(super) fn decode_or_keep(value: &str) -> Cow<'_, str> {
    decode(value).unwrap_or(Cow::Borrowed(value))
}

/// Percent-decodes a value. `None` for a broken escape or for bytes that are not UTF-8.
pub(super) fn decode(value: &str) -> Option<Cow<'_, str>> {
    if memchr(b'%', value.as_bytes()).is_none() {
        return Some(Cow::Borrowed(value));
    }
    let mut rest = value;
    while let Some((_, after)) = rest.split_once('%') {
        let digits = after.as_bytes().get(..2)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        rest = after.get(2..)?;
    }
    percent_decode_str(value).decode_utf8().ok()
}
