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

impl SecretInfo {
    /// Describes a secret.
    ///
    /// # Errors
    /// When it is empty.
    pub fn of(text: &str) -> Result<Self, InvalidValue> {
        if text.trim().is_empty() {
            return Err(InvalidValue::new("a secret is not empty"));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_label_distinguishes_public_and_private_keys() {
        for (text, pem) in [
            ("a shared secret", Pem::No),
            ("-----BEGIN PUBLIC KEY-----\nAAAA", Pem::Public),
            ("  \n-----BEGIN EC PRIVATE KEY-----\nAAAA", Pem::Private),
        ] {
            assert_eq!(SecretInfo::of(text), Ok(SecretInfo { bytes: text.len(), pem }), "{text}");
        }
        assert!(SecretInfo::of(" \n").is_err());
    }
}
