use auth_proxy_rules::TokenFormat;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::aws_lc;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::error::{KeyError, TokenError};
use super::{json, pem};

/// Verifies compact JWS (RFC 7515) under one configured algorithm.
pub(super) struct JwsDecoder {
    algorithm: Algorithm,
    keys: Vec<Key>,
}

enum Key {
    /// Of a shared secret; aws-lc clears it when it is dropped. jsonwebtoken would keep a copy that nobody clears.
    Mac(Box<hmac::Key>),
    /// A public key: no secret.
    Public(DecodingKey),
}

impl Key {
    fn new(algorithm: Algorithm, secret: &Zeroizing<String>) -> Result<Self, KeyError> {
        match Self::shared(algorithm, secret.as_bytes()) {
            Some(key) => Ok(key),
            None => pem::public_key(algorithm, secret).map(Self::Public).ok_or(KeyError::Pem),
        }
    }

    /// `None` for the algorithms of public keys.
    fn shared(algorithm: Algorithm, secret: &[u8]) -> Option<Self> {
        let algorithm = match algorithm {
            Algorithm::HS256 => hmac::HMAC_SHA256,
            Algorithm::HS384 => hmac::HMAC_SHA384,
            Algorithm::HS512 => hmac::HMAC_SHA512,
            _ => return None,
        };
        Some(Self::Mac(Box::new(hmac::Key::new(algorithm, secret))))
    }

    /// Whether a signature is of this key. aws-lc compares a MAC in constant time.
    ///
    /// A public key's verifier is taken from jsonwebtoken's aws-lc provider by name. Its process-wide default
    /// is left alone: with two providers compiled in, asking for the default panics until one is installed,
    /// and which one that is belongs to the application.
    fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Mac(key) => hmac::verify(key, message, signature).is_ok(),
            Self::Public(key) => (aws_lc::DEFAULT_PROVIDER.verifier_factory)(&algorithm, key)
                .is_ok_and(|verifier| verifier.verify(message, &signature.to_vec()).is_ok()),
        }
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
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

    /// The payload of a token whose signature holds under one of the keys.
    pub(super) fn verify(&self, token: &str) -> Result<Vec<u8>, TokenError> {
        let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(TokenError::Malformed)?;
        if payload.contains('.') {
            return Err(TokenError::Malformed);
        }
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed);
        let header = String::from_utf8(decode(header)?).map_err(|_| TokenError::Malformed)?;
        let header: Header = json::object(&header)?;
        if header.alg.parse() != Ok(self.algorithm) || header.crit || header.b64 {
            return Err(TokenError::Unsupported);
        }
        let (signature, payload) = (decode(signature)?, decode(payload)?);
        if self.holds(message.as_bytes(), &signature) { Ok(payload) } else { Err(TokenError::Tampered) }
    }

    /// Whether a signature is one of the keys' over a message.
    fn holds(&self, message: &[u8], signature: &[u8]) -> bool {
        self.keys.iter().any(|key| key.verifies(self.algorithm, message, signature))
    }
}

fn algorithm(format: TokenFormat) -> Option<Algorithm> {
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
mod vectors;

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::AsDer as _;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa;
    use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair};
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    const PLAIN: &[u8] = br#"{"sub":"1"}"#;

    fn pem(label: &str, der: &[u8]) -> Zeroizing<String> {
        let body = STANDARD.encode(der);
        let lines: Vec<&str> =
            body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        Zeroizing::new(format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n")))
    }

    fn token(header: &str, sign: &dyn Fn(&[u8]) -> Vec<u8>) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(PLAIN));
        let signature = URL_SAFE_NO_PAD.encode(sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    /// Signs, verifies, and refuses every other algorithm for the token and for the key.
    fn round(format: TokenFormat, public: &Zeroizing<String>, sign: &dyn Fn(&[u8]) -> Vec<u8>) {
        let name =
            if format == TokenFormat::Eddsa { "EdDSA".to_owned() } else { format.to_string().to_uppercase() };
        let decoder = JwsDecoder::new(format, std::slice::from_ref(public)).unwrap();
        let good = token(&format!(r#"{{"alg":"{name}","typ":"JWT","kid":"x"}}"#), sign);
        assert_eq!(decoder.verify(&good), Ok(PLAIN.to_vec()), "{name}");
        for header in [
            r#"{"alg":"none"}"#,
            r#"{"alg":"HS256"}"#,
            &format!(r#"{{"alg":"{name}","crit":[]}}"#),
            &format!(r#"{{"alg":"{name}","crit":null}}"#),
            &format!(r#"{{"alg":"{name}","b64":true}}"#),
        ] {
            assert_eq!(decoder.verify(&token(header, sign)), Err(TokenError::Unsupported), "{name} {header}");
        }
        for header in [&format!(r#"["{name}"]"#), "{}", "", &format!(r#"{{"alg":"{name}","alg":"none"}}"#)] {
            assert_eq!(decoder.verify(&token(header, sign)), Err(TokenError::Malformed), "{name} {header}");
        }
        // The public key as a shared secret: the classic confusion of algorithms.
        let hmac = |message: &[u8]| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, public.as_bytes());
            hmac::sign(&key, message).as_ref().to_vec()
        };
        let confused = token(r#"{"alg":"HS256"}"#, &hmac);
        assert_eq!(decoder.verify(&confused), Err(TokenError::Unsupported));
        let renamed = token(&format!(r#"{{"alg":"{name}"}}"#), &hmac);
        assert_eq!(decoder.verify(&renamed), Err(TokenError::Tampered));
        for at in 0..good.len() {
            let mut changed = good.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(decoder.verify(&changed).is_err(), "{name}, byte {at}");
        }
    }

    /// A signature is whole, of the algorithm, and of one of the secrets.
    #[test]
    fn shared_secrets() {
        let secret = |bytes: usize| Zeroizing::new("x".repeat(bytes));
        for (format, algorithm) in [
            (TokenFormat::Hs256, hmac::HMAC_SHA256),
            (TokenFormat::Hs384, hmac::HMAC_SHA384),
            (TokenFormat::Hs512, hmac::HMAC_SHA512),
        ] {
            // Shorter than a block, longer than one, and one byte.
            for bytes in [32, 200, 1] {
                let key = hmac::Key::new(algorithm, secret(bytes).as_bytes());
                let sign = |message: &[u8]| hmac::sign(&key, message).as_ref().to_vec();
                let name = format.to_string().to_uppercase();
                let header = format!(r#"{{"alg":"{name}"}}"#);
                let good = token(&header, &sign);
                let decoder = JwsDecoder::new(format, &[secret(7), secret(bytes)]).unwrap();
                assert_eq!(decoder.verify(&good), Ok(PLAIN.to_vec()), "{name} {bytes}");
                let other = JwsDecoder::new(format, &[secret(bytes + 1)]).unwrap();
                assert_eq!(other.verify(&good), Err(TokenError::Tampered), "{name} {bytes}");
                let cut = token(&header, &|message| sign(message)[..16].to_vec());
                let none = token(&header, &|_| Vec::new());
                let more = token(&header, &|message| [sign(message), vec![0]].concat());
                for bad in [cut, none, more] {
                    assert_eq!(decoder.verify(&bad), Err(TokenError::Tampered), "{name} {bytes}");
                }
                for other in [r#"{"alg":"none"}"#, r#"{"alg":"RS256"}"#, r#"{"alg":"hs256"}"#] {
                    assert_eq!(decoder.verify(&token(other, &sign)), Err(TokenError::Unsupported));
                }
            }
        }
    }

    #[test]
    fn elliptic_curves() {
        let random = SystemRandom::new();
        let p256 = EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let p384 = EcdsaKeyPair::generate(&signature::ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
        let spki = |pair: &EcdsaKeyPair| pem("PUBLIC KEY", pair.public_key().as_der().unwrap().as_ref());
        for (format, other, pair) in
            [(TokenFormat::Es256, TokenFormat::Es384, &p256), (TokenFormat::Es384, TokenFormat::Es256, &p384)]
        {
            round(format, &spki(pair), &|message| pair.sign(&random, message).unwrap().as_ref().to_vec());
            for wrong in [other, TokenFormat::Rs256, TokenFormat::Eddsa] {
                assert_eq!(JwsDecoder::new(wrong, &[spki(pair)]).err(), Some(KeyError::Pem), "{wrong:?}");
            }
        }
    }

    #[test]
    fn edwards_curves() {
        let pair = Ed25519KeyPair::generate().unwrap();
        let public = pem("PUBLIC KEY", pair.public_key().as_der().unwrap().as_ref());
        round(TokenFormat::Eddsa, &public, &|message| pair.sign(message).as_ref().to_vec());
        for wrong in [TokenFormat::Es256, TokenFormat::Ps256] {
            assert_eq!(JwsDecoder::new(wrong, std::slice::from_ref(&public)).err(), Some(KeyError::Pem));
        }
    }

    #[test]
    fn rsa_in_both_paddings() {
        let pair = RsaKeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
        let public = pem("PUBLIC KEY", pair.public_key().as_der().unwrap().as_ref());
        let own = pem("RSA PUBLIC KEY", pair.public_key().as_ref());
        assert!(JwsDecoder::new(TokenFormat::Ps512, &[own]).is_ok());
        for (format, padding) in [
            (TokenFormat::Rs256, &signature::RSA_PKCS1_SHA256 as &dyn signature::RsaEncoding),
            (TokenFormat::Rs512, &signature::RSA_PKCS1_SHA512),
            (TokenFormat::Ps256, &signature::RSA_PSS_SHA256),
            (TokenFormat::Ps384, &signature::RSA_PSS_SHA384),
        ] {
            round(format, &public, &|message| {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &SystemRandom::new(), message, &mut signature).unwrap();
                signature
            });
        }
        let private = pair.as_der().unwrap();
        for label in ["PRIVATE KEY", "PUBLIC KEY", "RSA PUBLIC KEY"] {
            let wrong = [pem(label, private.as_ref())];
            assert_eq!(JwsDecoder::new(TokenFormat::Rs256, &wrong).err(), Some(KeyError::Pem), "{label}");
        }
    }

    #[test]
    fn the_second_key_is_tried() {
        let pairs: Vec<_> = (0..2).map(|_| Ed25519KeyPair::generate().unwrap()).collect();
        let keys: Vec<_> =
            pairs.iter().map(|p| pem("PUBLIC KEY", p.public_key().as_der().unwrap().as_ref())).collect();
        let token = token(r#"{"alg":"EdDSA"}"#, &|message| pairs[1].sign(message).as_ref().to_vec());
        assert_eq!(JwsDecoder::new(TokenFormat::Eddsa, &keys).unwrap().verify(&token), Ok(PLAIN.to_vec()));
        let other = JwsDecoder::new(TokenFormat::Eddsa, &keys[..1]).unwrap();
        assert_eq!(other.verify(&token), Err(TokenError::Tampered));
    }

    /// Another crate can turn on jsonwebtoken's second provider, after which its process-wide default
    /// panics. Here every verifier comes from the provider that is named, so the slot stays empty.
    #[test]
    fn the_process_wide_provider_is_not_touched() {
        static MINE: jsonwebtoken::crypto::CryptoProvider = jsonwebtoken::crypto::CryptoProvider {
            signer_factory: |_, _| panic!("the default was asked"),
            verifier_factory: |_, _| panic!("the default was asked"),
            key_utils: jsonwebtoken::crypto::KeyUtils::new_unimplemented(),
        };
        let _ = MINE.install_default();
        let pair = Ed25519KeyPair::generate().unwrap();
        let public = pem("PUBLIC KEY", pair.public_key().as_der().unwrap().as_ref());
        round(TokenFormat::Eddsa, &public, &|message| pair.sign(message).as_ref().to_vec());
    }
}
