use crate::Bad;

/// What the rules need to know of a secret. The secret itself is never kept here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SecretInfo {
    /// Its length in bytes.
    pub bytes: usize,
    /// Whether it is a key in PEM.
    pub pem: Pem,
}

/// Whether a text is a PEM key, and of which half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pem {
    /// Not PEM: a shared secret.
    No,
    /// A public key.
    Public,
    /// A private key: it has no place in an app that only verifies.
    Private,
}

impl SecretInfo {
    /// Describes a secret.
    ///
    /// # Errors
    /// When it is empty.
    pub fn of(text: &str) -> Result<Self, Bad> {
        if text.trim().is_empty() {
            return Err(Bad::new("a secret is not empty"));
        }
        let pem = match text.trim_start().strip_prefix("-----BEGIN ") {
            None => Pem::No,
            Some(rest) if rest.split("-----").next().is_some_and(|l| l.contains("PRIVATE")) => Pem::Private,
            Some(_) => Pem::Public,
        };
        Ok(Self { bytes: text.len(), pem })
    }
}
