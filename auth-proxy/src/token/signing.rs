//! [`SigningKey`]: signs the tokens for the services behind a verdict.

use std::fmt;
use std::sync::Arc;

use auth_proxy_rules::InvalidValue;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, Signature,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::pem;

/// A private key that signs tokens for services: P-256 (ES256) or Ed25519 (EdDSA). A clone is the same key.
///
/// ```
/// use auth_proxy::verdict::SigningKey;
///
/// // openssl genpkey -algorithm ed25519
/// let key = SigningKey::from_pem(
///     "-----BEGIN PRIVATE KEY-----
///      MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
///      -----END PRIVATE KEY-----",
/// )?;
/// assert_eq!(key.key_id(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
/// # Ok::<(), auth_proxy::options::InvalidValue>(())
/// ```
#[derive(Clone)]
pub struct SigningKey(Arc<Inner>);

struct Inner {
    pair: Pair,
    /// The public key, with `kid`, `alg` and `use`.
    jwk: Value,
    kid: String,
    /// The first part of its tokens.
    header: String,
}

enum Pair {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// Reads a private key in PEM, in the form PKCS #8 without a passphrase (RFC 5958), of the curve P-256 or Ed25519.
    ///
    /// # Errors
    /// [`InvalidValue`] for anything else. It never contains the key.
    pub fn from_pem(text: &str) -> Result<Self, InvalidValue> {
        let invalid = |message: &str| InvalidValue::new(message);
        let (label, der) = pem::decode(text)
            .ok_or_else(|| invalid("not a key in PEM: make one with `openssl genpkey -algorithm ed25519`"))?;
        let der = Zeroizing::new(der);
        match label {
            "PRIVATE KEY" => {}
            "EC PRIVATE KEY" => {
                return Err(invalid(
                    "the key is not in PKCS #8: convert it with `openssl pkcs8 -topk8 -nocrypt`",
                ));
            }
            "ENCRYPTED PRIVATE KEY" => {
                return Err(invalid(
                    "the key has a passphrase: remove it with `openssl pkcs8 -topk8 -nocrypt`",
                ));
            }
            _ => return Err(invalid("not a private key: the first line is `-----BEGIN PRIVATE KEY-----`")),
        }
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8(&der) {
            return Ok(Self::new(Pair::Ed25519(pair)));
        }
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).map_err(|_| {
            invalid("not a key of P-256 or Ed25519: make one with `openssl genpkey -algorithm ed25519`")
        })?;
        Ok(Self::new(Pair::P256(pair)))
    }

    /// A new key of Ed25519, for one instance: it is lost with the process. Several instances need the same key, from
    /// [`from_pem`](Self::from_pem).
    ///
    /// # Errors
    /// If the system gives no random numbers.
    pub fn generate() -> Result<Self, InvalidValue> {
        let pair = Ed25519KeyPair::generate()
            .map_err(|_| InvalidValue::new("no key can be made: the system gives no random numbers"))?;
        let key = Self::new(Pair::Ed25519(pair));
        tracing::info!(
            target: "auth_proxy::config",
            key_id = key.key_id(),
            "a signing key was made for this process: several instances need the same key, from a file"
        );
        Ok(key)
    }

    /// The name of the key in tokens and in the key set: its thumbprint (RFC 7638).
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.0.kid
    }

    fn new(pair: Pair) -> Self {
        // The members of a thumbprint, in the order of their names (RFC 7638, section 3.2; RFC 8037, section 2).
        let (alg, mut jwk) = match &pair {
            Pair::Ed25519(pair) => (
                "EdDSA",
                json!({ "crv": "Ed25519", "kty": "OKP", "x": BASE64.encode(pair.public_key().as_ref()) }),
            ),
            Pair::P256(pair) => {
                // An uncompressed point: 4, x, y (SEC 1, section 2.3.3).
                let point = pair.public_key().as_ref().get(1..).unwrap_or_default();
                let (x, y) = point.split_at_checked(32).unwrap_or_default();
                (
                    "ES256",
                    json!({ "crv": "P-256", "kty": "EC", "x": BASE64.encode(x), "y": BASE64.encode(y) }),
                )
            }
        };
        let kid = BASE64.encode(digest(&SHA256, thumbprint(&jwk).as_bytes()));
        if let Value::Object(jwk) = &mut jwk {
            let members = [("kid", kid.as_str()), ("alg", alg), ("use", "sig")];
            jwk.extend(members.map(|(name, value)| (name.to_owned(), value.into())));
        }
        let header = BASE64.encode(json!({ "typ": "JWT", "alg": alg, "kid": kid }).to_string());
        Self(Arc::new(Inner { pair, jwk, kid, header }))
    }

    /// The public key as a member of a key set (RFC 7517).
    pub(crate) fn jwk(&self) -> &Value {
        &self.0.jwk
    }

    /// A token with these claims (RFC 7515, section 7.1). `None` if the signature cannot be made.
    pub(crate) fn sign(&self, claims: &Map<String, Value>) -> Option<String> {
        let mut token = format!("{}.{}", self.0.header, BASE64.encode(serde_json::to_vec(claims).ok()?));
        let signature: Signature = match &self.0.pair {
            Pair::Ed25519(pair) => pair.sign(token.as_bytes()),
            Pair::P256(pair) => pair.sign(&SystemRandom::new(), token.as_bytes()).ok()?,
        };
        token.push('.');
        BASE64.encode_string(signature, &mut token);
        Some(token)
    }
}

/// The members of a public key as JSON, in the order of their names and without white space.
fn thumbprint(jwk: &Value) -> String {
    let members = ["crv", "kty", "x", "y"].into_iter().filter_map(|name| Some((name, jwk.get(name)?)));
    let members: Vec<_> = members.map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

/// Shows no key.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("key_id", &self.0.kid).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of RFC 8037, appendix A.1, whose thumbprint is in appendix A.3.
    const ED25519: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";

    /// Made with OpenSSL: `genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`.
    const P256: &str = "-----BEGIN PRIVATE KEY-----\n\
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgldVlTEK9UHhdEJLq\n\
        hRnf5YukvmWgUxT8u7j0Ep0e45OhRANCAAQ7GOlxYCi+BnFtO0YvrTqMok3NZqmP\n\
        8nZZhO4aEtjXNDzTFKQdkRk91BPGo5ovA/6np1d7O/8CkXYxqzXyF6XE\n-----END PRIVATE KEY-----\n";

    #[test]
    fn signature_and_thumbprint_are_those_of_rfc_8037() {
        let key = SigningKey::from_pem(ED25519).unwrap();
        assert_eq!(key.key_id(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert_eq!(key.jwk()["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        let Pair::Ed25519(pair) = &key.0.pair else { unreachable!() };
        let signature = pair.sign(b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc");
        assert_eq!(
            BASE64.encode(signature),
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        );
    }

    #[test]
    fn keys_of_openssl_are_read_and_other_texts_are_refused_with_what_to_do() {
        assert_eq!(SigningKey::from_pem(P256).unwrap().jwk()["crv"], "P-256");
        let relabelled = |label: &str| P256.replace("PRIVATE KEY", label);
        for (text, message) in [
            (String::new(), "make one with `openssl genpkey"),
            (relabelled("EC PRIVATE KEY"), "convert it with `openssl pkcs8"),
            (relabelled("ENCRYPTED PRIVATE KEY"), "remove it with `openssl pkcs8"),
            (relabelled("PUBLIC KEY"), "not a private key"),
            (ED25519.replace("MC4", "MC5"), "not a key of P-256 or Ed25519"),
        ] {
            let error = SigningKey::from_pem(&text).unwrap_err().to_string();
            assert!(error.contains(message) && !error.contains("MC"), "{error}");
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let shown = format!("{:?}", SigningKey::from_pem(ED25519).unwrap());
        assert_eq!(shown, "SigningKey { key_id: \"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k\", .. }");
    }
}
