use auth_proxy_rules::TokenFormat;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::aws_lc;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::error::{KeyError, TokenError};

/// Verifies compact JWS (RFC 7515) under one configured algorithm.
///
/// The verifier is taken from jsonwebtoken's aws-lc provider by name. Its process-wide default is
/// left alone: with two providers compiled in, asking for the default panics until one is
/// installed, and which one that is belongs to the application.
pub(super) struct JwsDecoder {
    algorithm: Algorithm,
    keys: Vec<DecodingKey>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default, deserialize_with = "super::jwe::present")]
    crit: bool,
    #[serde(default, deserialize_with = "super::jwe::present")]
    b64: bool,
}

impl JwsDecoder {
    pub(super) fn new(format: TokenFormat, secrets: &[Zeroizing<String>]) -> Result<Self, KeyError> {
        let algorithm = algorithm(format).ok_or(KeyError::Derivation)?;
        let key = |secret: &Zeroizing<String>| {
            let bytes = secret.as_bytes();
            let key = match algorithm {
                Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => {
                    return Ok(DecodingKey::from_secret(bytes));
                }
                Algorithm::ES256 | Algorithm::ES384 => DecodingKey::from_ec_pem(bytes),
                Algorithm::EdDSA => DecodingKey::from_ed_pem(bytes),
                _ => DecodingKey::from_rsa_pem(bytes),
            };
            // Proves at start that the key is one of this algorithm.
            key.and_then(|key| (aws_lc::DEFAULT_PROVIDER.verifier_factory)(&algorithm, &key).map(|_| key))
                .map_err(|_| KeyError::Pem)
        };
        Ok(Self { algorithm, keys: secrets.iter().map(key).collect::<Result<_, _>>()? })
    }

    /// The payload of a token whose signature holds under one of the keys.
    pub(super) fn verify(&self, token: &str) -> Result<Zeroizing<Vec<u8>>, TokenError> {
        let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(TokenError::Malformed)?;
        if payload.contains('.') {
            return Err(TokenError::Malformed);
        }
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed);
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| TokenError::Malformed)?;
        if header.alg.parse() != Ok(self.algorithm) || header.crit || header.b64 {
            return Err(TokenError::Unsupported);
        }
        let (signature, payload) = (decode(signature)?, decode(payload)?);
        let holds = self.keys.iter().any(|key| {
            (aws_lc::DEFAULT_PROVIDER.verifier_factory)(&self.algorithm, key)
                .is_ok_and(|verifier| verifier.verify(message.as_bytes(), &signature).is_ok())
        });
        if holds { Ok(Zeroizing::new(payload)) } else { Err(TokenError::Tampered) }
    }
}

fn algorithm(format: TokenFormat) -> Option<Algorithm> {
    Some(match format {
        TokenFormat::Encrypted | TokenFormat::EncryptedV4 => return None,
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
    })
}
