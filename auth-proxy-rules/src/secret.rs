//! [`SecretInfo`]: the length and the kind of a secret, for the rules. The secret itself is not stored.

use crate::invalid_value::InvalidValue;

/// A description of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SecretInfo {
    /// Its length in bytes.
    pub bytes: usize,
    /// Whether it is a key in PEM.
    pub pem: Pem,
}

/// Whether a text is a key in PEM, and which half of a key pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pem {
    /// Not PEM: a shared secret.
    No,
    /// A public key.
    Public,
    /// A private key. An app that only verifies tokens must not have it.
    Private,
}

/// The secret that Better Auth uses in development if none is set. Everyone knows it.
const KNOWN: &str = "better-auth-secret-12345678901234567890";

impl SecretInfo {
    /// Describes a secret.
    ///
    /// # Errors
    /// When it is empty, or known to everyone.
    pub fn of(text: &str) -> Result<Self, InvalidValue> {
        if text.trim().is_empty() {
            return Err(InvalidValue::new("a secret is not empty"));
        }
        if text == KNOWN {
            return Err(InvalidValue::new(
                "this is the secret of Better Auth for development, which everyone knows: set one at the upstream, and here",
            ));
        }
        let pem = match text.trim_start().strip_prefix("-----BEGIN ") {
            None => Pem::No,
            Some(rest) if rest.split("-----").next().is_some_and(|label| label.contains("PRIVATE")) => {
                Pem::Private
            }
            Some(_) => Pem::Public,
        };
        Ok(Self { bytes: text.len(), pem })
    }
}

/// The secrets in a text of the form `2:new,1:old`: the form of `BETTER_AUTH_SECRETS`, in which the first secret is the
/// current one. A secret may contain colons, and no comma. `None` for a text that does not begin so, which is one secret.
///
/// # Errors
/// When it begins so and does not go on so.
pub fn versioned_secrets(text: &str) -> Result<Option<Vec<&str>>, InvalidValue> {
    let mut parts = text.split(',').map(versioned_secret);
    let Some(Some(first)) = parts.next() else { return Ok(None) };
    let secrets = std::iter::once(Some(first)).chain(parts).collect::<Option<Vec<_>>>();
    let error = "secrets with versions are written `2:new,1:old`, and contain no comma";
    secrets.map(Some).ok_or_else(|| InvalidValue::new(error))
}

fn versioned_secret(text: &str) -> Option<&str> {
    let (version, secret) = text.split_once(':')?;
    let (version, secret) = (version.trim(), secret.trim());
    let is_number = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && !secret.is_empty()).then_some(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_with_versions_are_listed_in_their_order() {
        for (text, secrets) in [
            ("2:new,1:old", Some(&["new", "old"][..])),
            ("7:a:b", Some(&["a:b"])),
            (" 2:new , 10: old ", Some(&["new", "old"])),
            ("plain", None),
            ("plain, with a comma", None),
            ("x:plain", None),
            ("2:", None),
            (":new", None),
            ("", None),
        ] {
            assert_eq!(versioned_secrets(text).unwrap().as_deref(), secrets, "{text}");
        }
        for text in ["2:new,old", "2:new,1:", "2:new,", "2:new, with a comma,1:old"] {
            assert!(versioned_secrets(text).is_err(), "{text}");
        }
    }

    #[test]
    fn pem_label_distinguishes_public_and_private_keys() {
        for (text, pem) in [
            ("a shared secret", Pem::No),
            ("-----BEGIN PUBLIC KEY-----\nAAAA", Pem::Public),
            ("  \n-----BEGIN EC PRIVATE KEY-----\nAAAA", Pem::Private),
        ] {
            assert_eq!(SecretInfo::of(text), Ok(SecretInfo { bytes: text.len(), pem }), "{text}");
        }
        assert!(SecretInfo::of(" \n").is_err() && SecretInfo::of(KNOWN).is_err());
    }
}
