//! [`SecretProofs`]: shows whether an upstream has one of the configured secrets, without a sign-in.

use std::fmt;
use std::fmt::Write as _;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::{digest, hmac, rand};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// Which of the configured secrets an upstream has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecretMatch {
    /// The one at this place of the list. Zero is the newest.
    At(usize),
    /// All of them, in the order of the list.
    All,
    None,
}

/// The secrets as they were configured, the newest first. A hash of a value and a secret cannot be checked with a derived
/// key. They are wiped when they are dropped.
pub(crate) struct SecretProofs {
    secrets: Vec<Zeroizing<String>>,
}

impl SecretProofs {
    pub(crate) fn new(secrets: Vec<Zeroizing<String>>) -> Self {
        Self { secrets }
    }

    pub(crate) fn count(&self) -> usize {
        self.secrets.len()
    }

    /// Whose SHA-256 with a value this is, in hexadecimal digits (`docs/authjs.md#csrf`). An upstream that has several
    /// secrets hashes them as one text, with commas between them.
    pub(crate) fn hashed(&self, value: &str, hash: &str) -> SecretMatch {
        let is_hash = |secret: &str| {
            let mut context = digest::Context::new(&digest::SHA256);
            context.update(value.as_bytes());
            context.update(secret.as_bytes());
            let own = hex(context.finish().as_ref());
            verify_slices_are_equal(own.as_bytes(), hash.as_bytes()).is_ok()
        };
        if self.secrets.len() > 1 {
            let secrets: Vec<&str> = self.secrets.iter().map(|secret| secret.as_str()).collect();
            if is_hash(&Zeroizing::new(secrets.join(","))) {
                return SecretMatch::All;
            }
        }
        let found = self.secrets.iter().position(|secret| is_hash(secret));
        found.map_or(SecretMatch::None, SecretMatch::At)
    }

    /// A random value, signed with the secret at this place (`docs/better-auth.md#cookie-signature`). No session has it.
    /// `None` without such a secret, or without random numbers.
    pub(crate) fn signed_random(&self, place: usize) -> Option<String> {
        let mut random = [0; 16];
        rand::fill(&mut random).ok()?;
        self.signed(place, &hex(&random))
    }

    fn signed(&self, place: usize, value: &str) -> Option<String> {
        let secret = self.secrets.get(place)?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        Some(format!("{value}.{}", STANDARD.encode(hmac::sign(&key, value.as_bytes()))))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl fmt::Debug for SecretProofs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretProofs(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proofs(secrets: &[&str]) -> SecretProofs {
        SecretProofs::new(secrets.iter().map(|secret| Zeroizing::new((*secret).to_owned())).collect())
    }

    /// `printf '%s%s' token secret | sha256sum`, and with `new,secret`.
    #[test]
    fn hash_names_the_secret_at_its_place() {
        let hash = "d9db21448d73f8397d9401d925e90810faadaad67b0053599e61d9b9e3f7ad37";
        assert_eq!(proofs(&["secret"]).hashed("token", hash), SecretMatch::At(0));
        assert_eq!(proofs(&["new", "secret"]).hashed("token", hash), SecretMatch::At(1));
        assert_eq!(proofs(&["new"]).hashed("token", hash), SecretMatch::None);
        assert_eq!(proofs(&[]).hashed("token", hash), SecretMatch::None);
        let both = "43dcc58ff4ccf29c1276d8245c0aa0e0d28ef21ebff4fe208d57fff8f2cce3e3";
        assert_eq!(proofs(&["new", "secret"]).hashed("token", both), SecretMatch::All);
        assert_eq!(proofs(&["secret", "new"]).hashed("token", both), SecretMatch::None);
    }

    /// The signature of the real library, as in `signed_cookie`.
    #[test]
    fn signature_is_that_of_the_real_library() {
        let proofs = proofs(&["other", "h1-test-secret-0123456789abcdefghijklmnopqrstuv"]);
        let signed = proofs.signed(1, "abc");
        assert_eq!(signed.as_deref(), Some("abc.WZ5KSQ59oZU7iySRHc91UpU8P7qyNCW/QvXQiHfFW44="));
        assert_eq!(proofs.signed(2, "abc"), None);
        assert_ne!(proofs.signed_random(0), proofs.signed_random(0));
        assert_eq!(format!("{proofs:?}"), "SecretProofs(..)");
    }
}
