//! Algorithm confusion: the configuration selects the signature algorithm, never the `alg` header of a token.

use auth_proxy::options::TokenFormat;
use auth_proxy::testing::mint;
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as BASE64};
use serde_json::json;

use super::{COOKIE, SECRET, app, assert_rejected, hmac_sign, jws, outcome};

fn pem(der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}

/// Only the configured algorithm verifies a token. A public key in any encoding is not accepted as a shared secret.
#[tokio::test]
async fn token_cannot_choose_its_algorithm() {
    let random = SystemRandom::new();
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let p256 = EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let ed25519 = Ed25519KeyPair::generate().unwrap();
    let sign_rsa = |padding: &'static dyn signature::RsaEncoding, message: &[u8]| {
        let mut signed = vec![0; rsa.public_modulus_len()];
        rsa.sign(padding, &random, message, &mut signed).unwrap();
        signed
    };
    let by_rs256 = |message: &[u8]| sign_rsa(&signature::RSA_PKCS1_SHA256, message);
    let by_ps256 = |message: &[u8]| sign_rsa(&signature::RSA_PSS_SHA256, message);
    let by_es256 = |message: &[u8]| p256.sign(&random, message).unwrap().as_ref().to_vec();
    let by_eddsa = |message: &[u8]| ed25519.sign(message).as_ref().to_vec();
    let by_hs256 = |message: &[u8]| hmac_sign(SECRET.as_bytes(), message);
    let rsa_key = rsa.public_key().as_der().unwrap().as_ref().to_vec();
    let ec_key = p256.public_key().as_der().unwrap().as_ref().to_vec();
    let ed_key = ed25519.public_key().as_der().unwrap().as_ref().to_vec();
    type Sign<'s> = &'s dyn Fn(&[u8]) -> Vec<u8>;
    let signers: [(&str, TokenFormat, String, Sign<'_>); 5] = [
        ("RS256", TokenFormat::Rs256, pem(&rsa_key), &by_rs256),
        ("PS256", TokenFormat::Ps256, pem(&rsa_key), &by_ps256),
        ("ES256", TokenFormat::Es256, pem(&ec_key), &by_es256),
        ("EdDSA", TokenFormat::Eddsa, pem(&ed_key), &by_eddsa),
        ("HS256", TokenFormat::Hs256, SECRET.to_owned(), &by_hs256),
    ];
    let payload = r#"{"sub":"ada"}"#;
    let header = |alg: &str| format!(r#"{{"alg":"{alg}"}}"#);
    for (name, format, key, sign) in &signers {
        let app = app(*format, &[key]).await;
        assert_eq!(outcome(&app, &jws(&header(name), payload, sign)).await.1, "ada", "{name}");
        // Signed with every other key, under that algorithm's name and under the configured name.
        let (mut unsupported, mut tampered) = (Vec::new(), Vec::new());
        for (other, _, _, sign_other) in signers.iter().filter(|(other, ..)| other != name) {
            unsupported.push(jws(&header(other), payload, sign_other));
            unsupported.push(jws(&header(other), payload, sign));
            tampered.push(jws(&header(name), payload, sign_other));
        }
        // Signed with HMAC, with the public key as the secret.
        let mut secrets =
            vec![key.clone().into_bytes(), key.trim().into(), key.replace('\n', "\r\n").into(), Vec::new()];
        if let Some(body) = key.strip_prefix("-----BEGIN PUBLIC KEY-----\n") {
            let body = body.split("\n-----END").next().unwrap().replace('\n', "");
            secrets.extend([STANDARD.decode(&body).unwrap(), body.into_bytes()]);
        } else {
            // HS256 has a secret instead of a public key; similar secrets must fail.
            secrets = vec![Vec::new(), key.to_uppercase().into_bytes(), format!("{key}\n").into_bytes()];
        }
        for secret in &secrets {
            let by_secret = |message: &[u8]| hmac_sign(secret, message);
            tampered.push(jws(&header(name), payload, by_secret));
            for alg in ["HS256", "HS384", "HS512"].iter().filter(|alg| *alg != name) {
                unsupported.push(jws(&header(alg), payload, by_secret));
            }
        }
        for alg in [
            "none",
            "None",
            "NONE",
            "nOnE",
            "",
            " ",
            "none\\u0000",
            "HS256 ",
            "hs256",
            "RS256,HS256",
            "*",
            "dir",
        ] {
            let unsigned = jws(&header(alg), payload, |_| Vec::new());
            unsupported.extend([
                unsigned.clone(),
                format!("{unsigned}AAAA"),
                jws(&header(alg), payload, sign),
            ]);
        }
        tampered.push(jws(&header(name), payload, |_| Vec::new()));
        tampered.push(jws(&header(name), payload, |_| vec![0; 64]));
        tampered.push(jws(&header(name), payload, |message| sign(&message[1..])));
        let mut malformed: Vec<String> = [
            "{}",
            "null",
            "[]",
            r#"{"alg":null}"#,
            r#"{"alg":[]}"#,
            r#"{"alg":["HS256"]}"#,
            r#"{"alg":{}}"#,
            r#"{"alg":0}"#,
            r#"{"alg":"none","alg":"none"}"#,
            r#"{"typ":"JWT"}"#,
            r#"{"ALG":"HS256"}"#,
            "",
            " ",
            "{",
            "\u{feff}{}",
        ]
        .map(|header| jws(header, payload, sign))
        .into();
        for header in [
            format!(r#"{{"alg":"{name}","alg":"none"}}"#),
            format!(r#"{{"alg":"none","\u0061lg":"{name}"}}"#),
            format!(r#"["{name}"]"#),
            format!(r#"[{{"alg":"{name}"}}]"#),
            format!("\u{feff}{{\"alg\":\"{name}\"}}"),
            format!("{{\"alg\":\"{name}\"}}\0"),
            format!("{{\"alg\":\"{name}\0\"}}"),
            format!("{{'alg':'{name}'}}"),
            format!(r#"{{"alg":"{name}",}}"#),
            format!(r#"{{"alg":"{name}"}}{{"alg":"none"}}"#),
            format!(r#"/**/{{"alg":"{name}"}}"#),
        ] {
            malformed.push(jws(&header, payload, sign));
        }
        let good = jws(&header(name), payload, sign);
        malformed.extend([
            format!("{good}."),
            format!(".{good}"),
            good.replacen('.', "..", 1),
            good.rsplit_once('.').unwrap().0.to_owned(),
            format!("{good}.AA"),
            // A nested token: the signed payload is a token instead of claims.
            jws(&header(name), &good, sign),
            jws(
                &format!(r#"{{"alg":"{name}","cty":"JWT"}}"#),
                &mint(&json!({ "sub": "mallory" }), SECRET, COOKIE),
                sign,
            ),
        ]);
        // Header members with a key or the address of a key are ignored.
        let jwk = format!(r#""jwk":{{"kty":"oct","k":"{}"}}"#, BASE64.encode("mine"));
        for member in [
            jwk.as_str(),
            r#""jku":"http://127.0.0.1:9/""#,
            r#""x5u":"http://127.0.0.1:9/""#,
            r#""kid":"../../dev/null""#,
            r#""kid":["x"]"#,
        ] {
            let header = format!(r#"{{"alg":"{name}",{member}}}"#);
            tampered.push(jws(&header, payload, |message| hmac_sign(b"mine", message)));
            tampered.push(jws(&header, payload, |message| hmac_sign(b"", message)));
            assert_eq!(outcome(&app, &jws(&header, payload, sign)).await.1, "ada", "{header}");
        }
        for member in [
            r#""crit":["exp"]"#,
            r#""crit":[]"#,
            r#""crit":null"#,
            r#""b64":false"#,
            r#""b64":true"#,
            r#""crit":["b64"],"b64":false"#,
        ] {
            unsupported.push(jws(&format!(r#"{{"alg":"{name}",{member}}}"#), payload, sign));
        }
        assert_rejected(&app, &unsupported, "token_unsupported").await;
        assert_rejected(&app, &tampered, "token_tampered").await;
        assert_rejected(&app, &malformed, "token_malformed").await;
    }
}
