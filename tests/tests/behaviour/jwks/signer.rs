//! A signing key of an issuer, its entry in the key set, and the tokens that it signs.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};

pub(super) const ISSUER: &str = "https://issuer.example";
pub(super) const AUDIENCE: &str = "api";

/// The end of 2099.
pub(super) const FAR: u64 = 4_102_444_799;

enum Pair {
    Ed25519(Ed25519KeyPair),
    Ecdsa(EcdsaKeyPair),
    Rsa(Box<RsaKeyPair>),
}

pub(super) struct Signer {
    kid: String,
    alg: &'static str,
    /// The members of the key besides `kid` and `alg`.
    public: Value,
    pair: Pair,
}

impl Signer {
    pub(super) fn ed25519(kid: &str) -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let public =
            json!({ "kty": "OKP", "crv": "Ed25519", "x": BASE64.encode(pair.public_key().as_ref()) });
        Self { kid: kid.to_owned(), alg: "EdDSA", public, pair: Pair::Ed25519(pair) }
    }

    pub(super) fn es256(kid: &str) -> Self {
        Self::ecdsa(kid, "ES256", "P-256", EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub(super) fn es384(kid: &str) -> Self {
        Self::ecdsa(kid, "ES384", "P-384", EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap())
    }

    fn ecdsa(kid: &str, alg: &'static str, crv: &str, pair: EcdsaKeyPair) -> Self {
        let point = pair.public_key().as_ref();
        let (x, y) = point[1..].split_at((point.len() - 1) / 2);
        let public = json!({ "kty": "EC", "crv": crv, "x": BASE64.encode(x), "y": BASE64.encode(y) });
        Self { kid: kid.to_owned(), alg, public, pair: Pair::Ecdsa(pair) }
    }

    pub(super) fn rs256(kid: &str) -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        // `RSAPublicKey` (RFC 8017, appendix A.1.1): the modulus stands between a head of 9 bytes and the exponent.
        let der = pair.public_key().as_ref();
        assert_eq!((der.len(), &der[265..]), (270, &[2, 3, 1, 0, 1][..]));
        let public = json!({ "kty": "RSA", "n": BASE64.encode(&der[9..265]), "e": "AQAB" });
        Self { kid: kid.to_owned(), alg: "RS256", public, pair: Pair::Rsa(Box::new(pair)) }
    }

    /// The entry of the key set.
    pub(super) fn jwk(&self) -> Value {
        self.jwk_with(json!({ "kid": self.kid, "alg": self.alg, "use": "sig" }))
    }

    /// The entry of the key set with these members besides the key itself. A member of null is left out.
    pub(super) fn jwk_with(&self, members: Value) -> Value {
        let mut jwk = self.public.clone();
        for (name, value) in members.as_object().unwrap() {
            jwk[name] = value.clone();
        }
        jwk.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        jwk
    }

    /// The header of this key's tokens.
    pub(super) fn header(&self) -> Value {
        json!({ "alg": self.alg, "kid": self.kid, "typ": "at+jwt" })
    }

    /// A valid token of this user.
    pub(super) fn token(&self, user: &str) -> String {
        self.token_of(&claims(user))
    }

    pub(super) fn token_of(&self, claims: &Value) -> String {
        self.token_with(&self.header(), claims)
    }

    pub(super) fn token_with(&self, header: &Value, claims: &Value) -> String {
        compact(header, claims, |message| self.sign(message))
    }

    /// A token of this text, which is its header and its payload, encoded.
    pub(super) fn signed(&self, message: &str) -> String {
        format!("{message}.{}", BASE64.encode(self.sign(message.as_bytes())))
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Ecdsa(pair) => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
                signature
            }
        }
    }
}

/// The claims of a valid token of this user.
pub(super) fn claims(user: &str) -> Value {
    json!({ "sub": user, "name": "Ada", "iss": ISSUER, "aud": AUDIENCE, "exp": FAR, "scope": "read" })
}

/// A compact JWS.
pub(super) fn compact(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
    let signature = BASE64.encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

/// A key set of these keys.
pub(super) fn key_set(signers: &[&Signer]) -> Value {
    json!({ "keys": signers.iter().map(|signer| signer.jwk()).collect::<Vec<_>>() })
}
