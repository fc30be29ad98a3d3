//! Parses the JSON in a token (headers and claims) strictly.

use std::fmt;

use memchr::memchr2_iter;
use serde::de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

use super::error::TokenError;

/// How deep claims may be nested. serde_json reads at most 128 levels. Without a lower limit here, a deeper token would
/// pass a guard and then fail where its claims are read.
pub(super) const MAX_DEPTH: usize = 64;

/// Reads a JSON object. An array is refused, although a derived type would accept one as its fields in order. A member
/// that is read must not occur twice (RFC 7515, section 4).
///
/// # Errors
/// `Malformed`.
pub(super) fn object<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, TokenError> {
    if !text.trim_ascii_start().starts_with('{') {
        return Err(TokenError::Malformed);
    }
    serde_json::from_str(text).map_err(|_| TokenError::Malformed)
}

/// Deserialises any value, even `null`, to `true`: the member is present.
pub(super) fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

/// Whether a value is a number or a string that is not empty.
pub(super) fn is_text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    deserializer.deserialize_any(TextOrNumber)
}

/// The same, for a value that [`text`] reads later. Refuses what it cannot read.
pub(super) fn is_readable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    text(deserializer).map(|text| text.is_some())
}

/// A string that is not empty, or a number as text. `None` for any other value, whose parts are skipped unread.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    // As `Value` would, but a list or an object cannot make it fail.
    let raw = <&RawValue>::deserialize(deserializer)?.get();
    let text = match raw.as_bytes() {
        [b'"', ..] => serde_json::from_str(raw).map(Some),
        [b'-' | b'0'..=b'9', ..] => serde_json::from_str(raw).map(|number: Number| Some(number.to_string())),
        _ => Ok(None),
    };
    Ok(text.map_err(D::Error::custom)?.filter(|text: &String| !text.is_empty()))
}

struct TextOrNumber;

impl<'de> Visitor<'de> for TextOrNumber {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E>(self, text: &str) -> Result<bool, E> {
        Ok(!text.is_empty())
    }

    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(true)
    }

    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(true)
    }

    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(true)
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<bool, A::Error> {
        while array.next_element::<IgnoredAny>()?.is_some() {}
        Ok(false)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(false)
    }
}

/// An object in which no name occurs twice. Objects within it are not checked.
pub(super) fn unique<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map<String, Value>, D::Error> {
    deserializer.deserialize_map(Unique)
}

struct Unique;

impl<'de> Visitor<'de> for Unique {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut map = Map::new();
        while let Some((name, value)) = access.next_entry()? {
            if map.insert(name, value).is_some() {
                return Err(A::Error::custom("a repeated name"));
            }
        }
        Ok(map)
    }
}

/// A member that may be absent, but must have its type if present. `null` is an error.
pub(super) fn some<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Whether a JSON text is nested deeper than [`MAX_DEPTH`]. For invalid JSON any result is right, since the parser refuses
/// it.
pub(super) fn is_too_deep(json: &str) -> bool {
    // The depth cannot exceed the number of opening brackets. Most tokens have few, so this is the fast path.
    if memchr2_iter(b'{', b'[', json.as_bytes()).nth(MAX_DEPTH).is_none() {
        return false;
    }
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in json.bytes() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else if matches!(byte, b'{' | b'[') {
            depth += 1;
            if depth > MAX_DEPTH {
                return true;
            }
        } else if matches!(byte, b'}' | b']') {
            depth = depth.saturating_sub(1);
        } else {
            in_string = byte == b'"';
        }
    }
    false
}
