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
    /// The first one, but for a mistake in copying it.
    Mistake(CopyMistake),
    None,
}

/// A mistake in copying a secret that is easily overlooked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CopyMistake {
    /// The secret here has spaces or a line break around it.
    SpaceHere,
    /// The secret here has quotes around it.
    QuotesHere,
    /// The secret of the upstream has a line break at its end.
    LineBreakThere,
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
        if let Some(place) = self.secrets.iter().position(|secret| is_hash(secret)) {
            return SecretMatch::At(place);
        }
        let mistake = self.corrected().into_iter().find(|(_, secret)| is_hash(secret));
        mistake.map_or(SecretMatch::None, |(mistake, _)| SecretMatch::Mistake(mistake))
    }

    /// The first secret as it may have been meant.
    fn corrected(&self) -> Vec<(CopyMistake, Zeroizing<String>)> {
        let Some(secret) = self.secrets.first() else { return Vec::new() };
        let owned = |text: &str| Zeroizing::new(text.to_owned());
        let unquoted = ['"', '\'']
            .into_iter()
            .find_map(|quote| secret.trim().strip_prefix(quote)?.strip_suffix(quote).map(owned));
        let trimmed = Some(secret.trim()).filter(|trimmed| trimmed.len() < secret.len()).map(owned);
        let with_line_break = Zeroizing::new(format!("{}\n", secret.as_str()));
        let found = [
            trimmed.map(|secret| (CopyMistake::SpaceHere, secret)),
            unquoted.map(|secret| (CopyMistake::QuotesHere, secret)),
            Some((CopyMistake::LineBreakThere, with_line_break)),
        ];
        found.into_iter().flatten().collect()
    }

    /// A random value, signed with the secret at this place (`docs/better-auth.md#cookie-signature`). No session has it.
    /// `None` without such a secret, or without random numbers.
    pub(crate) fn signed_random(&self, place: usize) -> Option<String> {
        let mut random = [0; 16];
        rand::fill(&mut random).ok()?;
        Some(signed(self.secrets.get(place)?, &hex(&random)))
    }

    /// The same with the first secret as it may have been meant.
    pub(crate) fn signed_random_with_mistakes(&self) -> Vec<(CopyMistake, String)> {
        let mut random = [0; 16];
        if rand::fill(&mut random).is_err() {
            return Vec::new();
        }
        let value = hex(&random);
        self.corrected().into_iter().map(|(mistake, secret)| (mistake, signed(&secret, &value))).collect()
    }
}

fn signed(secret: &str, value: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    format!("{value}.{}", STANDARD.encode(hmac::sign(&key, value.as_bytes())))
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
        let signed = signed("h1-test-secret-0123456789abcdefghijklmnopqrstuv", "abc");
        assert_eq!(signed, "abc.WZ5KSQ59oZU7iySRHc91UpU8P7qyNCW/QvXQiHfFW44=");
        let proofs = proofs(&["one", "other"]);
        assert_eq!(proofs.signed_random(2), None);
        assert_ne!(proofs.signed_random(0), proofs.signed_random(0));
        assert_eq!(format!("{proofs:?}"), "SecretProofs(..)");
    }

    #[test]
    fn copy_mistakes_of_the_first_secret_are_recognised() {
        let hash = "d9db21448d73f8397d9401d925e90810faadaad67b0053599e61d9b9e3f7ad37";
        for (secret, found) in [
            ("secret\n", SecretMatch::Mistake(CopyMistake::SpaceHere)),
            (" secret", SecretMatch::Mistake(CopyMistake::SpaceHere)),
            ("\"secret\"", SecretMatch::Mistake(CopyMistake::QuotesHere)),
            ("'secret'\n", SecretMatch::Mistake(CopyMistake::QuotesHere)),
            ("\"secret'", SecretMatch::None),
            ("Secret", SecretMatch::None),
        ] {
            assert_eq!(proofs(&[secret]).hashed("token", hash), found, "{secret:?}");
            let mistakes = proofs(&[secret]).signed_random_with_mistakes();
            assert_eq!(
                mistakes.last().map(|(mistake, _)| *mistake),
                Some(CopyMistake::LineBreakThere),
                "{secret:?}"
            );
        }
        // `printf 'tokensecret\n' | sha256sum`
        let with_line_break = "77a63946986f384e889cbdcfab68aedd85b8e8021db3c9a90cd5c8c2e83ed2e5";
        assert_eq!(
            proofs(&["secret"]).hashed("token", with_line_break),
            SecretMatch::Mistake(CopyMistake::LineBreakThere)
        );
        assert_eq!(
            proofs(&["other", "secret\n"]).hashed("token", hash),
            SecretMatch::None,
            "the first one only"
        );
    }
}
