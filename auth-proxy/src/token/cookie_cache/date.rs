//! Dates as `JSON.stringify` writes them.

use std::time::UNIX_EPOCH;

/// The length of a date with milliseconds, the only form that `JSON.stringify` writes.
const LENGTH: usize = "2026-01-01T00:00:00.000Z".len();

/// The time of a date, in milliseconds since the Unix epoch. `None` for another text, and for a date before the epoch.
pub(super) fn millis(text: &str) -> Option<u64> {
    // humantime reads a leap second, which JavaScript does not.
    if text.len() != LENGTH || !looks_like_one(text) || text.get(17..19) == Some("60") {
        return None;
    }
    let time = humantime::parse_rfc3339(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(time.as_millis()).ok()
}

/// Whether the upstream reads a string as a date: `2026-01-01T00:00:00Z`, perhaps with a fraction of a second.
pub(super) fn looks_like_one(text: &str) -> bool {
    const FORM: &[u8] = b"0000-00-00T00:00:00";
    let Some((date, rest)) = text.as_bytes().split_at_checked(FORM.len()) else { return false };
    let has_form = date.iter().zip(FORM).all(|(byte, form)| match form {
        b'0' => byte.is_ascii_digit(),
        _ => byte == form,
    });
    let is_end = match rest {
        [b'Z'] => true,
        [b'.', digits @ .., b'Z'] => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    has_form && is_end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_of_json_stringify_is_read_to_the_millisecond() {
        for (text, expected) in [
            ("1970-01-01T00:00:00.000Z", Some(0)),
            ("2026-01-01T00:00:00.000Z", Some(1_767_225_600_000)),
            ("2026-01-01T00:00:00.999Z", Some(1_767_225_600_999)),
            ("2028-02-29T23:59:59.500Z", Some(1_835_481_599_500)),
            ("2026-01-01T00:00:00Z", None),
            ("2026-01-01T00:00:00.5Z", None),
            ("2026-01-01T00:00:00.0000Z", None),
            ("9999-12-31T23:59:59.999Z", Some(253_402_300_799_999)),
            ("1969-12-31T23:59:59.999Z", None),
            ("2026-02-29T00:00:00.000Z", None),
            ("2026-13-01T00:00:00.000Z", None),
            ("2026-01-01T24:00:00.000Z", None),
            ("2026-12-31T23:59:60.000Z", None),
            ("2026-01-01T00:00:00.000+00:00", None),
            ("2026-01-01T00:00:00.Z", None),
            ("2026-01-01 00:00:00Z", None),
            ("2026-01-01T00:00:00", None),
            ("2026-01-01T00:00:00.000Z ", None),
            ("+002026-01-01T00:00:00Z", None),
            ("2026-01-01", None),
            ("1767225600000", None),
            ("", None),
        ] {
            assert_eq!(millis(text), expected, "{text}");
        }
    }

    #[test]
    fn strings_that_the_upstream_reads_as_dates_are_recognised() {
        for text in ["2026-01-01T00:00:00Z", "2026-99-99T99:99:99.1234567890123Z"] {
            assert!(looks_like_one(text), "{text}");
        }
        for text in ["Ada", "2026-01-01T00:00:00", "٢٠٢٦-01-01T00:00:00Z", "2026-01-01T00:00:0éZ"] {
            assert!(!looks_like_one(text), "{text}");
        }
    }
}
