//! Signed cookies: `value.signature`, where the signature is an HMAC-SHA256 of the value in base64
//! (`docs/better-auth.md#cookie-signature`).

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// The longest cookie value that is read, in bytes. Browsers store at most 4,096 bytes of a cookie with its name.
const LIMIT: usize = 4096;

/// The length of an encoded signature: 32 bytes in base64 with padding.
const SIGNATURE: usize = 44;

/// Checks signed cookies. The name of a cookie is not signed, so a value is as good under another name.
pub(crate) struct SignedCookies {
    /// The keys of the secrets, the newest first. aws-lc wipes them when they are dropped.
    keys: Vec<hmac::Key>,
}

impl SignedCookies {
    /// `secrets` begins with the current one.
    pub(crate) fn new(secrets: &[Zeroizing<String>]) -> Self {
        let key = |secret: &Zeroizing<String>| hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        Self { keys: secrets.iter().map(key).collect() }
    }

    /// Whether any of the secrets signed a cookie. `value` is percent-decoded.
    pub(crate) fn is_signed_by_any(&self, value: &str) -> bool {
        verifies(&self.keys, value)
    }

    /// Whether the current secret signed a cookie. The upstream accepts no other. `value` is percent-decoded.
    pub(crate) fn is_signed_by_current(&self, value: &str) -> bool {
        verifies(self.current(), value)
    }

    /// The value without its signature. A value without a signature is returned as it is.
    pub(crate) fn token_part(value: &str) -> &str {
        value.rsplit_once('.').map_or(value, |(token, _)| token)
    }

    pub(super) fn current(&self) -> Option<&hmac::Key> {
        self.keys.first()
    }
}

fn verifies<'k>(keys: impl IntoIterator<Item = &'k hmac::Key>, value: &str) -> bool {
    split(value).is_some_and(|(token, signature)| {
        // aws-lc compares in constant time.
        keys.into_iter().any(|key| hmac::verify(key, token.as_bytes(), &signature).is_ok())
    })
}

/// The two parts of a signed cookie. `None` for a value of another form. The signature is not checked.
pub(super) fn split(value: &str) -> Option<(&str, [u8; 32])> {
    let (token, encoded) = value.rsplit_once('.')?;
    if token.is_empty() || encoded.len() != SIGNATURE || value.len() > LIMIT {
        return None;
    }
    // Bits that the encoding does not use must be zero: a signature has one spelling.
    let signature = STANDARD.decode(encoded).ok()?.try_into().ok()?;
    Some((token, signature))
}

impl fmt::Debug for SignedCookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignedCookies(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "h1-test-secret-0123456789abcdefghijklmnopqrstuv";

    /// Issued by the real library for the value `abc`.
    const GOOD: &str = "abc.WZ5KSQ59oZU7iySRHc91UpU8P7qyNCW/QvXQiHfFW44=";

    fn cookies(secrets: &[&str]) -> SignedCookies {
        let secrets: Vec<_> = secrets.iter().map(|secret| Zeroizing::new((*secret).to_owned())).collect();
        SignedCookies::new(&secrets)
    }

    #[test]
    fn signature_of_the_real_library_is_accepted() {
        let cookies = cookies(&[SECRET]);
        assert!(cookies.is_signed_by_current(GOOD) && cookies.is_signed_by_any(GOOD));
        assert_eq!(SignedCookies::token_part(GOOD), "abc");
        assert_eq!(SignedCookies::token_part("a.b.c"), "a.b");
        assert_eq!(SignedCookies::token_part("abc"), "abc");
    }

    #[test]
    fn older_secrets_are_accepted_by_any_only() {
        let cookies = cookies(&["new", "other", SECRET]);
        assert!(!cookies.is_signed_by_current(GOOD));
        assert!(cookies.is_signed_by_any(GOOD));
        for secrets in [&["new"][..], &[]] {
            let cookies = self::cookies(secrets);
            assert!(!cookies.is_signed_by_current(GOOD) && !cookies.is_signed_by_any(GOOD));
        }
    }

    #[test]
    fn every_changed_byte_and_every_other_form_is_refused() {
        let cookies = cookies(&[SECRET]);
        for at in 0..GOOD.len() {
            for bit in 0..7 {
                let mut changed = GOOD.as_bytes().to_vec();
                changed[at] ^= 1 << bit;
                let changed = String::from_utf8(changed).unwrap();
                assert!(!cookies.is_signed_by_any(&changed), "{changed}");
            }
            assert!(!cookies.is_signed_by_any(&GOOD[..at]), "{at}");
        }
        for changed in [
            // The bits of the last digit that are not used.
            GOOD.replace("44=", "45="),
            GOOD.replace('/', "_"),
            GOOD.replace('=', ""),
            GOOD.replace('=', "=="),
            GOOD.replace('=', "%3D"),
            GOOD.replace('.', ".."),
            GOOD.replace('.', "%2E"),
            format!("{GOOD}."),
            format!("{GOOD} "),
            format!(" {GOOD}"),
            format!("\"{GOOD}\""),
            GOOD.replace("abc", ""),
            GOOD.replace("abc", "ABC"),
            String::new(),
            ".".to_owned(),
            "abc".to_owned(),
        ] {
            assert!(!cookies.is_signed_by_any(&changed), "{changed}");
        }
    }

    #[test]
    fn dots_in_the_value_belong_to_it_and_long_values_are_refused() {
        let cookies = cookies(&[SECRET]);
        let signed = |value: &str| {
            let signature = hmac::sign(cookies.current().unwrap(), value.as_bytes());
            format!("{value}.{}", STANDARD.encode(signature))
        };
        assert!(cookies.is_signed_by_current(&signed("a.b")));
        assert!(!cookies.is_signed_by_current(&signed("")));
        assert!(cookies.is_signed_by_current(&signed(&"a".repeat(LIMIT - 45))));
        assert!(!cookies.is_signed_by_current(&signed(&"a".repeat(LIMIT - 44))));
        assert_eq!(format!("{cookies:?}"), "SignedCookies(..)");
    }
}
