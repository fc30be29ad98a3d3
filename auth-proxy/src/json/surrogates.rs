//! Repairs the lone surrogates in JSON that JavaScript wrote, which serde_json refuses.

use std::borrow::Cow;

use memchr::memchr;

/// Replaces each lone surrogate escape with U+FFFD.
///
/// JavaScript can cut a string inside of a surrogate pair (`"👩‍💻".slice(0, 1)`). `JSON.stringify` then writes the rest
/// as an escape such as `\ud83d`, which has no UTF-8 form and which serde_json refuses. Without the replacement, a user
/// whose name was cut like that could not sign in.
pub(crate) fn replace_lone_surrogates(json: &str) -> Cow<'_, str> {
    // Most texts have no escape at all, and a search for one byte is fast.
    let escapes = memchr(b'\\', json.as_bytes()).and_then(|at| json.get(at..));
    if !escapes.is_some_and(|json| json.contains("\\ud") || json.contains("\\uD")) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let length = match (utf16_unit(escape), escape.get(6..).and_then(utf16_unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => {
                out.push_str("\\ufffd");
                rest = escape.get(6..).unwrap_or_default();
                continue;
            }
            (Some(_), _) => 6,
            // Another escape, such as `\"` or `\\`. The parser refuses an escape that is cut off.
            (None, _) => escape.char_indices().nth(2).map_or(escape.len(), |(end, _)| end),
        };
        let (kept, after) = escape.split_at(length.min(escape.len()));
        out.push_str(kept);
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The UTF-16 unit of an escape `\uXXXX` at the start of a text.
fn utf16_unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn lone_surrogates_become_the_replacement_character() {
        for (json, text) in [
            (r#""Ada \ud83d""#, "Ada \u{fffd}"),
            (r#""\uDC69 x""#, "\u{fffd} x"),
            (r#""\ud83d\ud83d\udc69""#, "\u{fffd}\u{1f469}"),
            (r#""\udc69\ud83d""#, "\u{fffd}\u{fffd}"),
            (r#""\ud83d\u0041""#, "\u{fffd}A"),
            (r#""\ud83d\udc69""#, "\u{1f469}"),
            (r#""\\ud83d""#, "\\ud83d"),
            (r#""\\\ud83d""#, "\\\u{fffd}"),
            (r#""\"\ud83d\n""#, "\"\u{fffd}\n"),
        ] {
            let parsed: Value = serde_json::from_str(&replace_lone_surrogates(json)).unwrap();
            assert_eq!(parsed, Value::String(text.to_owned()), "{json}");
        }
        for json in ["\"\\ud8", "\"\\ud83d\\", "\\", "\\ud\u{e4}"] {
            assert!(serde_json::from_str::<Value>(&replace_lone_surrogates(json)).is_err(), "{json}");
        }
    }

    proptest! {
        #[test]
        fn valid_json_still_parses_to_the_same_value(text in "\\PC{0,20}(\\\\ud83d)?", near in r#"(\\|u|d83d|DC69|"|é){0,12}"#) {
            let json = Value::String(text).to_string();
            let same: Value = serde_json::from_str(&replace_lone_surrogates(&json)).unwrap();
            prop_assert_eq!(same.to_string(), json);
            let _ = replace_lone_surrogates(&near);
        }
    }
}
