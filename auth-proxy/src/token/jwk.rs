//! Reads one public key of a key set (RFC 7517), or says why it is not used.

use std::fmt;

use auth_proxy_rules::TokenFormat;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::public_key::PublicKey;
use super::{base64url, json, jws};

/// A public key with its name in the key set.
pub(super) struct NamedKey {
    pub(super) kid: Option<String>,
    /// Its algorithm is the one that the key set gives. That of a token must be the same.
    pub(super) key: PublicKey,
}

impl NamedKey {
    /// Reads a key. `allowed` are the configured algorithms.
    ///
    /// # Errors
    /// Why the key is not used.
    pub(super) fn read(text: &str, allowed: &[TokenFormat]) -> Result<Self, Unused> {
        let jwk: Jwk = json::object(text).map_err(|_| Unused::Malformed)?;
        let algorithm = jwk.algorithm(allowed)?;
        Ok(Self { key: PublicKey::new(algorithm, jwk.key(algorithm)?), kid: jwk.kid })
    }
}

/// Shows the name and the algorithm.
impl fmt::Debug for NamedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kid, key } = self;
        f.debug_struct("NamedKey").field("kid", kid).field("algorithm", &key.algorithm()).finish()
    }
}

/// Why a key of a key set is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unused {
    Malformed,
    /// A symmetric key, or a type that no supported algorithm has.
    Type,
    /// A key that was published with its private half is known to everyone.
    Private,
    /// `use` or `key_ops` is for something else than signatures.
    Purpose,
    /// Without `alg` an attacker would choose it.
    NoAlgorithm,
    /// `alg` is not in `jwks.algorithms`.
    Algorithm,
    /// The type or the curve is not that of `alg`.
    Mismatch,
    /// An RSA key of less than 2048 bits (RFC 7518, section 3.3), or more than the 8192 that aws-lc accepts.
    Length,
    /// Two keys have the same `kid` and `alg`.
    Ambiguous,
}

impl fmt::Display for Unused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not well formed",
            Self::Type => "not a public key for signatures",
            Self::Private => "published with its private half",
            Self::Purpose => "not for signatures, by its `use` or `key_ops`",
            Self::NoAlgorithm => "without `alg`",
            Self::Algorithm => "of an algorithm that is not in `jwks.algorithms`",
            Self::Mismatch => "of another type or curve than its `alg`",
            Self::Length => "of less than 2048 or more than 8192 bits",
            Self::Ambiguous => "with the `kid` and `alg` of another key",
        })
    }
}

/// The members of a key that are read. Certificates (`x5c`, `x5u`) are not.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(default, deserialize_with = "json::some")]
    kid: Option<String>,
    #[serde(default, deserialize_with = "json::some")]
    alg: Option<String>,
    #[serde(default, deserialize_with = "json::some", rename = "use")]
    purpose: Option<String>,
    #[serde(default, deserialize_with = "json::some")]
    key_ops: Option<Vec<String>>,
    #[serde(default, deserialize_with = "json::some")]
    crv: Option<String>,
    #[serde(default, deserialize_with = "json::some")]
    x: Option<String>,
    #[serde(default, deserialize_with = "json::some")]
    y: Option<String>,
    #[serde(default, deserialize_with = "json::some")]
    n: Option<String>,
    #[serde(default, deserialize_with = "json::some")]
    e: Option<String>,
    /// The private half, or the symmetric key.
    d: Option<IgnoredAny>,
    k: Option<IgnoredAny>,
}

impl Jwk {
    /// The algorithm of the key, if the key may be used.
    fn algorithm(&self, allowed: &[TokenFormat]) -> Result<Algorithm, Unused> {
        if self.kty == "oct" || self.k.is_some() {
            return Err(Unused::Type);
        }
        if self.d.is_some() {
            return Err(Unused::Private);
        }
        let verifies = |ops: &Vec<String>| ops.iter().any(|op| op == "verify");
        if self.purpose.as_ref().is_some_and(|purpose| purpose != "sig")
            || !self.key_ops.as_ref().is_none_or(verifies)
        {
            return Err(Unused::Purpose);
        }
        let name = self.alg.as_deref().ok_or(Unused::NoAlgorithm)?;
        let algorithm = algorithm(name).ok_or(Unused::Algorithm)?;
        let is_allowed = allowed.iter().any(|format| jws::algorithm(*format) == Some(algorithm));
        if is_allowed { Ok(algorithm) } else { Err(Unused::Algorithm) }
    }

    fn key(&self, algorithm: Algorithm) -> Result<DecodingKey, Unused> {
        match algorithm {
            Algorithm::ES256 => self.point::<32>("P-256"),
            Algorithm::ES384 => self.point::<48>("P-384"),
            Algorithm::EdDSA => self.ed25519(),
            Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => Err(Unused::Type),
            _ => self.rsa(),
        }
    }

    /// The coordinates have the full length of the curve (RFC 7518, section 6.2.1).
    fn point<const N: usize>(&self, curve: &str) -> Result<DecodingKey, Unused> {
        self.require("EC", Some(curve))?;
        let (x, y) = self.x.as_deref().zip(self.y.as_deref()).ok_or(Unused::Malformed)?;
        let bytes = |text: &str| base64url::array::<N>(text).ok_or(Unused::Malformed);
        bytes(x).and(bytes(y))?;
        DecodingKey::from_ec_components(x, y).map_err(|_| Unused::Malformed)
    }

    /// RFC 8037, section 2.
    fn ed25519(&self) -> Result<DecodingKey, Unused> {
        self.require("OKP", Some("Ed25519"))?;
        let x = self.x.as_deref().ok_or(Unused::Malformed)?;
        base64url::array::<32>(x).ok_or(Unused::Malformed)?;
        DecodingKey::from_ed_components(x).map_err(|_| Unused::Malformed)
    }

    fn rsa(&self) -> Result<DecodingKey, Unused> {
        self.require("RSA", None)?;
        let number = |text: &Option<String>| {
            let bytes = URL_SAFE_NO_PAD.decode(text.as_deref()?).ok()?;
            // Some issuers write a leading zero, which RFC 7518, section 2, forbids and aws-lc refuses.
            let start = bytes.iter().position(|byte| *byte != 0)?;
            bytes.get(start..).map(<[u8]>::to_vec)
        };
        let (modulus, exponent) = number(&self.n).zip(number(&self.e)).ok_or(Unused::Malformed)?;
        let bits = modulus.len() * 8 - modulus.first().map_or(0, |first| first.leading_zeros() as usize);
        if !(2048..=8192).contains(&bits) {
            return Err(Unused::Length);
        }
        // An exponent of one would make every text its own signature. aws-lc accepts exponents of 33 bits.
        let is_odd = exponent.last().is_some_and(|last| last % 2 == 1);
        if !is_odd || exponent == [1] || exponent.len() > 5 {
            return Err(Unused::Malformed);
        }
        Ok(DecodingKey::from_rsa_raw_components(&modulus, &exponent))
    }

    fn require(&self, kty: &str, crv: Option<&str>) -> Result<(), Unused> {
        let matches = self.kty == kty && crv.is_none_or(|crv| self.crv.as_deref() == Some(crv));
        if matches { Ok(()) } else { Err(Unused::Mismatch) }
    }
}

/// The algorithm of this name. RFC 9864 has a second name for EdDSA with Ed25519, the only curve that is supported.
pub(super) fn algorithm(name: &str) -> Option<Algorithm> {
    match name {
        "Ed25519" => Some(Algorithm::EdDSA),
        _ => name.parse().ok(),
    }
}

#[cfg(test)]
mod tests;
