//! Checks whether a text has the form of a session token.

/// Whether a text has the form of a token: a compact JWS of three parts or JWE of five (RFC 7515, section 3.1; RFC
/// 7516, section 3.1), each of them base64url without padding and with spare bits of zero (RFC 4648, section 3.5).
///
/// Any other text cannot be a session token of the strategy `jwt`, so no lookup is needed. Node decodes base64
/// leniently and ignores the spare bits, so other spare bits would give a second spelling of the same token.
pub(crate) fn is_compact(token: &str) -> bool {
    let mut parts = Parts::default();
    for byte in token.bytes() {
        if byte == b'.' {
            parts.end_part();
        } else {
            parts.add(byte);
        }
    }
    parts.end_part();
    // With a direct key there is no encrypted key between the first two dots (RFC 7518, section 4.5).
    let has_all = parts.empty == 0 || (parts.count == 5 && parts.empty == 1 << 1);
    parts.are_base64url && matches!(parts.count, 3 | 5) && has_all
}

/// Whether a text is base64url without padding, with spare bits of zero.
pub(crate) fn is_base64url(text: &[u8]) -> bool {
    let mut parts = Parts::default();
    text.iter().for_each(|byte| parts.add(*byte));
    parts.end_part();
    parts.are_base64url
}

/// Reads parts of base64url, digit by digit.
struct Parts {
    /// The number of parts that have ended.
    count: usize,
    /// The numbers of the empty parts below 5, as bits.
    empty: u8,
    /// Whether every part so far is base64url without padding, with spare bits of zero.
    are_base64url: bool,
    /// The values of all digits of this part together. 64 and more if one of them is no digit.
    seen: u8,
    /// The value of the last digit.
    last: u8,
    /// The number of digits of this part.
    digits: usize,
}

impl Default for Parts {
    fn default() -> Self {
        Self { count: 0, empty: 0, are_base64url: true, seen: 0, last: 0, digits: 0 }
    }
}

impl Parts {
    fn add(&mut self, byte: u8) {
        self.last = value(byte);
        self.seen |= self.last;
        self.digits += 1;
    }

    fn end_part(&mut self) {
        let spare_bits = match self.digits % 4 {
            0 => Some(0),
            2 => Some(0b1111),
            3 => Some(0b11),
            // No text of base64 has this length.
            _ => None,
        };
        self.are_base64url &= self.seen < 64 && spare_bits.is_some_and(|bits| self.last & bits == 0);
        if self.digits == 0 && self.count < 5 {
            self.empty |= 1 << self.count;
        }
        self.count += 1;
        (self.seen, self.last, self.digits) = (0, 0, 0);
    }
}

/// In place of the value of a byte that is no digit.
const NO_DIGIT: u8 = 0xff;

/// The value of each byte as a digit of base64url (RFC 4648, section 5).
static VALUES: [u8; 256] = values();

#[expect(clippy::indexing_slicing, reason = "evaluated at compile time, where a wrong index is an error")]
const fn values() -> [u8; 256] {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut values = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 64 {
        values[digits[value as usize] as usize] = value;
        value += 1;
    }
    values
}

/// The value of a digit of base64url, or `NO_DIGIT`.
fn value(byte: u8) -> u8 {
    VALUES.get(usize::from(byte)).copied().unwrap_or(NO_DIGIT)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

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

    /// The same, part by part.
    fn is_compact_by_parts(token: &str) -> bool {
        let parts: Vec<_> = token.split('.').collect();
        let may_be_empty = |n: usize| parts.len() == 5 && n == 1;
        matches!(parts.len(), 3 | 5)
            && parts.iter().enumerate().all(|(n, part)| {
                URL_SAFE_NO_PAD.decode(part).is_ok() && (!part.is_empty() || may_be_empty(n))
            })
    }

    proptest::proptest! {
        #[test]
        fn one_pass_reads_a_token_as_its_parts_are_read(token in "(([A-D_-]{0,5}|[AQgw=+ \u{e4}]{0,3})\\.){0,6}[A-D]{0,4}") {
            proptest::prop_assert_eq!(is_compact(&token), is_compact_by_parts(&token));
            for part in token.split('.') {
                proptest::prop_assert_eq!(is_base64url(part.as_bytes()), URL_SAFE_NO_PAD.decode(part).is_ok());
            }
        }
    }

    #[test]
    fn base64url_characters_have_their_standard_values() {
        let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        for byte in 0..=u8::MAX {
            let expected = digits.iter().position(|digit| *digit == byte).unwrap_or(NO_DIGIT.into());
            assert_eq!(usize::from(value(byte)), expected, "{byte}");
        }
    }
}
