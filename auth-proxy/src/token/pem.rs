//! Reads public keys in PEM (RFC 7468) for the algorithms of signed tokens.
//!
//! Neither available PEM reader fits. jsonwebtoken's (`use_pem`) adds twelve crates. `rustls_pki_types::pem`, which
//! rustls depends on already, does not know the label `RSA PUBLIC KEY`. It also reads line by line, so it would refuse
//! a key whose line breaks became spaces in an environment file.

use aws_lc_rs::rsa;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, DecodingKey};

/// The algorithm identifiers of elliptic curves: RFC 5480, section 2.1.1, and RFC 8410, section 3.
const P256: &[u8] =
    &[0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const P384: &[u8] =
    &[0x30, 0x10, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 5, 0x2b, 0x81, 0x04, 0x00, 0x22];
const ED25519: &[u8] = &[0x30, 5, 6, 3, 0x2b, 0x65, 0x70];

/// The public key in a PEM text, `PUBLIC KEY` or `RSA PUBLIC KEY`. `None` for anything else, also for a key of another
/// algorithm and for an RSA key that is too short.
pub(super) fn public_key(algorithm: Algorithm, text: &str) -> Option<DecodingKey> {
    let (label, der) = decode(text)?;
    let is_spki = label == "PUBLIC KEY";
    match algorithm {
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => None,
        Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA if !is_spki => None,
        // The lengths of a point, uncompressed or compressed (SEC 1, section 2.3.3).
        Algorithm::ES256 => curve(&der, P256, &[65, 33]).map(DecodingKey::from_ec_der),
        Algorithm::ES384 => curve(&der, P384, &[97, 49]).map(DecodingKey::from_ec_der),
        Algorithm::EdDSA => curve(&der, ED25519, &[32]).map(DecodingKey::from_ed_der),
        _ if !is_spki && label != "RSA PUBLIC KEY" => None,
        _ => {
            let key = rsa::PublicKey::from_der(&der).ok()?;
            // 2048 bits or more: RFC 7518, sections 3.3 and 3.5.
            (key.modulus_len() >= 256).then(|| DecodingKey::from_rsa_der(key.as_ref()))
        }
    }
}

/// The label and the bytes of a text that is exactly one PEM block.
pub(super) fn decode(text: &str) -> Option<(&str, Vec<u8>)> {
    let (label, rest) = text.trim().strip_prefix("-----BEGIN ")?.split_once("-----")?;
    let body = rest.strip_suffix("-----")?.strip_suffix(label)?.strip_suffix("-----END ")?;
    let body: String = body.split_ascii_whitespace().collect();
    Some((label, STANDARD.decode(body).ok()?))
}

/// The key in a `SubjectPublicKeyInfo` (RFC 5280, section 4.1) with this algorithm identifier. Keys of elliptic curves
/// are so short that every DER length is one byte.
fn curve<'d>(der: &'d [u8], algorithm: &[u8], lengths: &[usize]) -> Option<&'d [u8]> {
    let bits = value(0x30, der)?.strip_prefix(algorithm)?;
    // The first byte of a bit string counts unused bits. It must be zero.
    let key = value(0x03, bits)?.strip_prefix(&[0])?;
    lengths.contains(&key.len()).then_some(key)
}

/// The contents of a DER value. `None` if its tag is another, or if bytes follow the value.
fn value(tag: u8, der: &[u8]) -> Option<&[u8]> {
    let (&length, value) = der.strip_prefix(&[tag])?.split_first()?;
    (length < 0x80 && usize::from(length) == value.len()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Generated with OpenSSL: `genpkey`, then `pkey -pubout`. The second one with `ec -conv_form compressed`.
    const KEYS: [(&str, Algorithm); 4] = [
        (
            "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEzHoMDzSiOmXYjglZiJuI4D346lDP\n\
             e5yHx3A6NP2bsiq5U/zn8nPQb4L11N7MNWiw6+nHXcBc99HaCbFIgnoVCA==\n-----END PUBLIC KEY-----\n",
            Algorithm::ES256,
        ),
        (
            "-----BEGIN PUBLIC KEY-----\nMDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgACzHoMDzSiOmXYjglZiJuI4D346lDP\n\
             e5yHx3A6NP2bsio=\n-----END PUBLIC KEY-----\n",
            Algorithm::ES256,
        ),
        (
            "-----BEGIN PUBLIC KEY-----\nMHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEmEoeQCJhNxVdAQtoU3psjZtBIPdvaUEj\n\
             vRSUlJCVE8Zjk+RKlhZcojkeNQd62zt8fsa352CgdYtq9WK49+3Q2gdy3hVNnTQM\n\
             ZuTOvmpGboyizDBwMy90KVG1sIylegGF\n-----END PUBLIC KEY-----\n",
            Algorithm::ES384,
        ),
        (
            "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAx708tZm/fTUS4Lxa9+R9iechsx9AXY7HacU4ogrnxqE=\n-----END PUBLIC KEY-----\n",
            Algorithm::EdDSA,
        ),
    ];
    const ALGORITHMS: [Algorithm; 5] =
        [Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA, Algorithm::RS256, Algorithm::HS256];

    #[test]
    fn pem_key_is_accepted_for_its_own_algorithm_only() {
        for (text, own) in KEYS {
            for algorithm in ALGORITHMS {
                let key = public_key(algorithm, text);
                assert_eq!(key.is_some(), algorithm == own, "{own:?} as {algorithm:?}");
            }
            let windows = text.replace('\n', "\r\n");
            let one_line = text.replace('\n', " ");
            for variant in [windows, one_line, format!("\n {text} ")] {
                assert!(public_key(own, &variant).is_some(), "{variant:?}");
            }
        }
    }

    #[test]
    fn malformed_pem_keys_are_refused() {
        let [(good, algorithm), ..] = KEYS;
        let (_, der) = decode(good).unwrap();
        let pem = |label: &str, der: &[u8]| {
            format!("-----BEGIN {label}-----\n{}\n-----END {label}-----", STANDARD.encode(der))
        };
        assert!(public_key(algorithm, &pem("PUBLIC KEY", &der)).is_some());
        for label in ["RSA PUBLIC KEY", "PRIVATE KEY", "CERTIFICATE", ""] {
            assert!(public_key(algorithm, &pem(label, &der)).is_none(), "{label}");
        }
        for cut in 0..der.len() {
            assert!(public_key(algorithm, &pem("PUBLIC KEY", &der[..cut])).is_none(), "{cut}");
            // Every byte before the point has exactly one accepted value.
            if cut < der.len() - 65 {
                let mut changed = der.clone();
                changed[cut] ^= 1;
                assert!(public_key(algorithm, &pem("PUBLIC KEY", &changed)).is_none(), "{cut}");
            }
        }
        let longer = [&der[..], &[0]].concat();
        assert!(public_key(algorithm, &pem("PUBLIC KEY", &longer)).is_none());
        for text in [
            good.replace("END PUBLIC", "END RSA PUBLIC"),
            good.repeat(2),
            good.replace("-----END", "=\n-----END"),
            good.trim_end().trim_end_matches('-').to_owned(),
            "-----BEGIN -----".to_owned(),
            String::new(),
        ] {
            assert!(public_key(algorithm, &text).is_none(), "{text}");
        }
    }
}
