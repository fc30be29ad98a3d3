//! Writes text of a session into header values.

use std::borrow::Cow;

use http::HeaderValue;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// The longest encoded value, in bytes. Proxies refuse a response whose head exceeds a few kilobytes.
pub(super) const LIMIT: usize = 1024;

/// The characters that are escaped, besides control characters and those outside of ASCII: `%`, so that decoding gives the
/// text back, `,`, which separates values of a list, and those that begin a placeholder of Caddy, or `<nil>`, which it writes
/// for a placeholder without a value.
const ESCAPED: &AsciiSet = &CONTROLS.add(b'%').add(b',').add(b'{').add(b'}').add(b'<').add(b'>');

/// One text as a header value. `None` if it is empty or too long.
pub(super) fn value(text: &str) -> Option<HeaderValue> {
    bounded(escaped(text).into_owned())
}

/// A list of texts as a header value. `None` if it is empty or too long.
pub(super) fn list<'t>(texts: impl Iterator<Item = &'t str>) -> Option<HeaderValue> {
    bounded(texts.map(escaped).collect::<Vec<_>>().join(","))
}

/// Percent-encodes a text as UTF-8 (RFC 3986, section 2.1), so that `decodeURIComponent` of JavaScript and its like give it
/// back. Readable characters stay. A space stays between other characters; recipients drop those at the ends of a value
/// (RFC 9110, section 5.5).
fn escaped(text: &str) -> Cow<'_, str> {
    let inner = text.trim_matches(' ');
    if inner.len() == text.len() {
        return utf8_percent_encode(text, ESCAPED).into();
    }
    let start = text.len() - text.trim_start_matches(' ').len();
    let end = text.len() - start - inner.len();
    Cow::Owned(format!("{}{}{}", "%20".repeat(start), utf8_percent_encode(inner, ESCAPED), "%20".repeat(end)))
}

fn bounded(text: String) -> Option<HeaderValue> {
    if text.is_empty() || text.len() > LIMIT {
        return None;
    }
    HeaderValue::try_from(text).ok()
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;

    use super::*;

    #[test]
    fn value_is_printable_ascii_and_decodes_to_the_text() {
        for (text, expected) in [
            ("Ada Lovelace", "Ada Lovelace"),
            ("ada@example.com", "ada@example.com"),
            ("Lovelace, Ada", "Lovelace%2C Ada"),
            ("100%", "100%25"),
            ("{env.HOME}<nil>", "%7Benv.HOME%7D%3Cnil%3E"),
            ("Ada\r\nX-Auth-Subject: 1", "Ada%0D%0AX-Auth-Subject: 1"),
            ("Zoë 🦀", "Zo%C3%AB %F0%9F%A6%80"),
            (" Ada ", "%20Ada%20"),
            ("  ", "%20%20"),
            ("a\u{0}b\u{7f}\tc", "a%00b%7F%09c"),
            ("\u{202e}evil", "%E2%80%AEevil"),
        ] {
            let value = value(text).unwrap();
            let value = value.to_str().unwrap();
            assert_eq!(value, expected);
            assert_eq!(percent_decode_str(value).decode_utf8().unwrap(), text);
            assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b','));
        }
    }

    #[test]
    fn empty_and_overlong_values_are_left_out() {
        assert_eq!(value(""), None);
        assert!(value(&"a".repeat(LIMIT)).is_some());
        assert_eq!(value(&"a".repeat(LIMIT + 1)), None);
        assert_eq!(value(&"é".repeat(LIMIT / 6 + 1)), None, "the encoded length counts");
        assert_eq!(list([].into_iter()), None);
    }

    #[test]
    fn list_can_be_split_at_commas() {
        assert_eq!(list(["admin", "a,b", "x y"].into_iter()).unwrap(), "admin,a%2Cb,x y");
    }
}
