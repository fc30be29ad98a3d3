//! Verifies JWS, the signed token formats.

use auth_proxy_rules::TokenFormat;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::error::{KeyError, TokenError};
use super::public_key::PublicKey;
use super::{json, media_type};

/// Verifies compact JWS (RFC 7515) with the configured algorithm. The token's `alg` must be the same.
pub(super) struct JwsDecoder {
    algorithm: Algorithm,
    keys: Vec<Key>,
}

enum Key {
    /// A shared secret. aws-lc wipes it when it is dropped; jsonwebtoken would keep a copy that is never wiped.
    Mac(Box<hmac::Key>),
    Public(PublicKey),
}

impl Key {
    fn new(algorithm: Algorithm, secret: &Zeroizing<String>) -> Result<Self, KeyError> {
        match Self::shared(algorithm, secret.as_bytes()) {
            Some(key) => Ok(key),
            None => PublicKey::from_pem(algorithm, secret).map(Self::Public).ok_or(KeyError::Pem),
        }
    }

    /// A key of the HMAC algorithms. `None` for an algorithm with public keys.
    fn shared(algorithm: Algorithm, secret: &[u8]) -> Option<Self> {
        let algorithm = match algorithm {
            Algorithm::HS256 => hmac::HMAC_SHA256,
            Algorithm::HS384 => hmac::HMAC_SHA384,
            Algorithm::HS512 => hmac::HMAC_SHA512,
            _ => return None,
        };
        Some(Self::Mac(Box::new(hmac::Key::new(algorithm, secret))))
    }

    /// Whether a signature was made with this key. aws-lc compares a MAC in constant time.
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Mac(key) => hmac::verify(key, message, signature).is_ok(),
            Self::Public(key) => key.verifies(message, signature),
        }
    }
}

/// The parts of a compact JWS (RFC 7515, section 7.1).
pub(super) struct Parts<'t> {
    /// What the signature is made over.
    message: &'t str,
    /// The protected header as JSON.
    pub(super) header: String,
    /// Encoded.
    payload: &'t str,
    /// Encoded.
    signature: &'t str,
}

impl<'t> Parts<'t> {
    /// # Errors
    /// `Malformed`.
    pub(super) fn split(token: &'t str) -> Result<Self, TokenError> {
        let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(TokenError::Malformed)?;
        if payload.contains('.') {
            return Err(TokenError::Malformed);
        }
        let header = String::from_utf8(decode(header)?).map_err(|_| TokenError::Malformed)?;
        Ok(Self { message, header, payload, signature })
    }

    /// Checks that the header names this algorithm, has no member that changes how a token is read, and is not that of an
    /// event, such as a logout token.
    ///
    /// # Errors
    /// `Malformed`, `Unsupported`.
    pub(super) fn check_algorithm(&self, algorithm: Algorithm) -> Result<(), TokenError> {
        let header: Header = json::object(&self.header)?;
        let is_event = header.typ.as_deref().is_some_and(media_type::is_event);
        if header.alg.parse() != Ok(algorithm) || header.crit || header.b64 || is_event {
            return Err(TokenError::Unsupported);
        }
        Ok(())
    }

    /// The payload, if `verifies` accepts the message and its signature.
    ///
    /// # Errors
    /// `Malformed`, `Tampered`.
    pub(super) fn verified(
        &self,
        verifies: impl FnOnce(&[u8], &[u8]) -> bool,
    ) -> Result<Vec<u8>, TokenError> {
        let (signature, payload) = (decode(self.signature)?, decode(self.payload)?);
        if verifies(self.message.as_bytes(), &signature) { Ok(payload) } else { Err(TokenError::Tampered) }
    }
}

fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)
}

/// The protected header. Members that change how a token is read (`crit`, `b64`) are refused if present.
#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default, deserialize_with = "json::text")]
    typ: Option<String>,
    #[serde(default, deserialize_with = "json::present")]
    crit: bool,
    #[serde(default, deserialize_with = "json::present")]
    b64: bool,
}

impl JwsDecoder {
    pub(super) fn new(format: TokenFormat, secrets: &[Zeroizing<String>]) -> Result<Self, KeyError> {
        let algorithm = algorithm(format).ok_or(KeyError::Derivation)?;
        let keys = secrets.iter().map(|secret| Key::new(algorithm, secret)).collect::<Result<_, _>>()?;
        Ok(Self { algorithm, keys })
    }

    /// Verifies a token with any of the keys, and returns its payload.
    ///
    /// # Errors
    /// `Malformed`, `Unsupported`, `Tampered`.
    pub(super) fn verify(&self, token: &str) -> Result<Vec<u8>, TokenError> {
        let parts = Parts::split(token)?;
        parts.check_algorithm(self.algorithm)?;
        parts.verified(|message, signature| self.is_signed(message, signature))
    }

    /// Whether one of the keys made this signature over this message.
    fn is_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        self.keys.iter().any(|key| key.verifies(message, signature))
    }
}

/// A public key in PEM for a signed format. `None` for a key or a format of another kind.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn public_key(format: TokenFormat, pem: &str) -> Option<PublicKey> {
    PublicKey::from_pem(algorithm(format)?, pem)
}

/// jsonwebtoken's name for a signed format. `None` for an encrypted one.
pub(super) fn algorithm(format: TokenFormat) -> Option<Algorithm> {
    Some(match format {
        TokenFormat::Hs256 => Algorithm::HS256,
        TokenFormat::Hs384 => Algorithm::HS384,
        TokenFormat::Hs512 => Algorithm::HS512,
        TokenFormat::Rs256 => Algorithm::RS256,
        TokenFormat::Rs384 => Algorithm::RS384,
        TokenFormat::Rs512 => Algorithm::RS512,
        TokenFormat::Ps256 => Algorithm::PS256,
        TokenFormat::Ps384 => Algorithm::PS384,
        TokenFormat::Ps512 => Algorithm::PS512,
        TokenFormat::Es256 => Algorithm::ES256,
        TokenFormat::Es384 => Algorithm::ES384,
        TokenFormat::Eddsa => Algorithm::EdDSA,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
