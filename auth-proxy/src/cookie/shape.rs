//! Checks whether a text has the form of a session token.

/// Whether a text has the form of a token: a compact JWS of three parts or JWE of five (RFC 7515, section 3.1; RFC
/// 7516, section 3.1), each of them base64url without padding and with spare bits of zero (RFC 4648, section 3.5).
///
/// Any other text cannot be a session token of the strategy `jwt`, so no lookup is needed. Node decodes base64
/// leniently and ignores the spare bits, so other spare bits would give a second spelling of the same token.
pub(crate) fn is_compact(token: &str) -> bool {
    let count = token.split('.').count();
    // With a direct key there is no encrypted key between the first two dots (RFC 7518, section 4.5).
    let may_be_empty = |n: usize| count == 5 && n == 1;
    matches!(count, 3 | 5)
        && token
            .split('.')
            .enumerate()
            .all(|(n, part)| is_base64url(part.as_bytes()) && (!part.is_empty() || may_be_empty(n)))
}

/// Whether a text is base64url without padding, with spare bits of zero.
pub(super) fn is_base64url(part: &[u8]) -> bool {
    let spare_bits = match part.len() % 4 {
        0 => 0,
        2 => 0b1111,
        3 => 0b11,
        _ => return false,
    };
    part.iter().all(|byte| value(*byte).is_some())
        && part.last().is_none_or(|last| value(*last).is_some_and(|value| value & spare_bits == 0))
}

fn value(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'-' => 62,
        b'_' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_token_needs_three_or_five_parts_of_strict_base64url() {
        for good in ["AAAA.AA.AAA", "AAAA..AAAA.AAAA.AAAA", "AAAA.AAAA.AAAA.AAAA.AAAA", "_-Zz.0909.AQ"] {
            assert!(is_compact(good), "{good}");
        }
        for bad in [
            "",
            ".",
            "..",
            "AAAA",
            "AAAA.AAAA",
            "AAAA..AAAA",
            ".AAAA.AAAA",
            "AAAA.AAAA.",
            "AAAA.AAAA.AAAA.AAAA",
            "AAAA..AAAA.AAAA.",
            "AAAA.AAAA.AAAA.AAAA.AAAA.AAAA",
            "AAAA.AA=.AAAA",
            "AAAA.A+/A.AAAA",
            "AAAA.A A.AAAA",
            "AAAA.A.AAAA",
            "AAAA.AB.AAAA",
            "AAAA.AAB.AAAA",
            "AAAA.|.AAAA",
            "ÄÄ.AAAA.AAAA",
        ] {
            assert!(!is_compact(bad), "{bad}");
        }
    }

    #[test]
    fn base64url_characters_have_their_standard_values() {
        let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        for byte in 0..=u8::MAX {
            let expected = digits.iter().position(|digit| *digit == byte);
            assert_eq!(value(byte).map(usize::from), expected, "{byte}");
        }
    }
}
