//! A public key with the algorithm of its signatures.

use jsonwebtoken::crypto::aws_lc;
use jsonwebtoken::{Algorithm, DecodingKey};

use super::pem;

/// Verifies signatures of one algorithm. The algorithm belongs to the key: a token does not choose it.
pub(crate) struct PublicKey {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl PublicKey {
    pub(super) fn new(algorithm: Algorithm, key: DecodingKey) -> Self {
        Self { algorithm, key }
    }

    /// Reads a key in PEM. `None` for a key of another algorithm.
    pub(crate) fn from_pem(algorithm: Algorithm, text: &str) -> Option<Self> {
        pem::public_key(algorithm, text).map(|key| Self { algorithm, key })
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether a signature was made with the private key of this key.
    ///
    /// This uses jsonwebtoken's aws-lc provider by name, not its process-wide default. With two providers compiled in,
    /// the default panics until one is installed, and only the application may install one.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        (aws_lc::DEFAULT_PROVIDER.verifier_factory)(&self.algorithm, &self.key)
            .is_ok_and(|verifier| verifier.verify(message, &signature.to_vec()).is_ok())
    }
}
