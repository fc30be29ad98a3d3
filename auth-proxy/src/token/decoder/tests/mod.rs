//! Tests of the decoder with whole tokens of every format: which tokens are accepted, and with which error the others
//! are refused.

mod headers;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::dialect::token_key;
use crate::token::encrypt::{Enc, encrypt_v4, encrypt_v5, seal};
use crate::token::keys::{derive_key, thumbprint};

const NAME: &str = "authjs.session-token";
const NOW: u64 = 1_800_000_000;

fn claims() -> Map<String, Value> {
    let Value::Object(claims) = json!({ "sub": "1", "name": "Ada ✨", "exp": NOW + 60 }) else {
        unreachable!()
    };
    claims
}

fn decoder(format: TokenFormat, secrets: &[&str]) -> Decoder {
    let secrets: Vec<_> = secrets.iter().map(|secret| Zeroizing::new((*secret).to_owned())).collect();
    Decoder::new(format, &secrets, NAME, Demands::NONE).unwrap()
}

#[test]
fn tokens_of_auth_js_are_decoded() {
    for enc in [Enc::A256CbcHs512, Enc::A256Gcm] {
        for kid in [true, false] {
            for secret in ["new", "old", "older"] {
                let token = encrypt_v5(&claims(), secret, NAME, enc, kid);
                let decoded = decoder(TokenFormat::Encrypted, &["new", "old", "older"]).decode(&token, NOW);
                assert_eq!(decoded, Ok(claims()), "{enc:?} {kid} {secret}");
            }
        }
    }
    let v4 = encrypt_v4(&claims(), "secret");
    assert_eq!(decoder(TokenFormat::EncryptedV4, &["new", "secret"]).decode(&v4, NOW), Ok(claims()));
}

#[test]
fn tokens_of_other_keys_and_formats_are_refused() {
    let decode = |format, secret, token: &str| decoder(format, &[secret]).decode(token, NOW);
    let named = encrypt_v5(&claims(), "secret", NAME, Enc::A256CbcHs512, true);
    let unnamed = encrypt_v5(&claims(), "secret", NAME, Enc::A256Gcm, false);
    let salted = encrypt_v5(&claims(), "secret", "__Secure-authjs.session-token", Enc::A256CbcHs512, true);
    let v4 = encrypt_v4(&claims(), "secret");
    use TokenFormat::{Encrypted, EncryptedV4, Hs256};
    assert_eq!(decode(Encrypted, "other", &named), Err(TokenError::UnknownKey));
    assert_eq!(decode(Encrypted, "other", &unnamed), Err(TokenError::Tampered));
    assert_eq!(decode(Encrypted, "secret", &salted), Err(TokenError::UnknownKey));
    assert_eq!(decode(Encrypted, "secret", &v4), Err(TokenError::Tampered));
    assert_eq!(decode(EncryptedV4, "secret", &named), Err(TokenError::Unsupported));
    assert_eq!(decode(EncryptedV4, "secret", &unnamed), Err(TokenError::Tampered));
    assert_eq!(decode(Hs256, "secret", &named), Err(TokenError::Malformed));
}

#[test]
fn token_header_cannot_choose_the_algorithm() {
    let key = derive_key("secret", &token_key(TokenFormat::Encrypted, NAME).unwrap(), 64).unwrap();
    let good = json!({ "alg": "dir", "enc": "A256CBC-HS512", "kid": thumbprint(&key) });
    let plain = serde_json::to_vec(&claims()).unwrap();
    let decode = |header: Value| {
        decoder(TokenFormat::Encrypted, &["secret"]).decode(&seal(&header, &plain, &key).unwrap(), NOW)
    };
    assert!(decode(good.clone()).is_ok());
    for (name, value) in [
        ("alg", json!("none")),
        ("alg", json!("A256KW")),
        ("alg", json!("RSA-OAEP")),
        ("enc", json!("A128CBC-HS256")),
        ("enc", json!("A192GCM")),
        ("enc", json!("a256cbc-hs512")),
        ("zip", json!("DEF")),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
    ] {
        let mut header = good.clone();
        header[name] = value;
        assert_eq!(decode(header.clone()), Err(TokenError::Unsupported), "{header}");
    }
    // A256GCM with the name of the key for A256CBC-HS512.
    let mut swapped = good.clone();
    swapped["enc"] = json!("A256GCM");
    assert_eq!(decode(swapped), Err(TokenError::UnknownKey));
    for header in
        [json!({ "enc": "A256CBC-HS512" }), json!({ "alg": "dir" }), json!([]), json!({"alg": 1, "enc": 2})]
    {
        assert_eq!(decode(header), Err(TokenError::Malformed));
    }
}

#[test]
fn token_header_must_be_an_object_and_kid_a_string() {
    let key = derive_key("secret", &token_key(TokenFormat::Encrypted, NAME).unwrap(), 64).unwrap();
    let plain = serde_json::to_vec(&claims()).unwrap();
    let decode = |header: Value| {
        decoder(TokenFormat::Encrypted, &["secret"]).decode(&seal(&header, &plain, &key).unwrap(), NOW)
    };
    let enc = "A256CBC-HS512";
    // serde would read an array as the fields of a struct, in order.
    for header in [
        json!(["dir", enc]),
        json!(["dir", enc, thumbprint(&key)]),
        json!("dir"),
        json!({ "alg": "dir", "enc": enc, "kid": null }),
        json!({ "alg": "dir", "enc": enc, "kid": 5 }),
        json!({ "alg": "dir", "enc": enc, "kid": [thumbprint(&key)] }),
        json!({ "alg": "dir", "enc": enc, "x": "y".repeat(1024) }),
    ] {
        assert_eq!(decode(header.clone()), Err(TokenError::Malformed), "{header}");
    }
    assert_eq!(decode(json!({ "alg": "dir", "enc": enc, "kid": "" })), Err(TokenError::UnknownKey));
    let parsed = json!({ "alg": "dir", "enc": enc, "kid": thumbprint(&key), "typ": null, "cty": 5, "x": "y".repeat(400) });
    assert_eq!(decode(parsed), Ok(claims()));
    // A `kid` that occurs twice is refused, because another parser might use the other one.
    let header = format!(r#"{{"kid":"a","alg":"dir","enc":"{enc}","kid":"{}"}}"#, thumbprint(&key));
    let good = seal(&json!({ "alg": "dir", "enc": enc }), &plain, &key).unwrap();
    let (_, body) = good.split_once('.').unwrap();
    let header = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, header);
    let token = format!("{header}.{body}");
    assert_eq!(decoder(TokenFormat::Encrypted, &["secret"]).decode(&token, NOW), Err(TokenError::Malformed));
}

#[test]
fn only_the_key_named_by_kid_is_tried() {
    let (new, old) = (
        derive_key("new", &token_key(TokenFormat::Encrypted, NAME).unwrap(), 64).unwrap(),
        derive_key("old", &token_key(TokenFormat::Encrypted, NAME).unwrap(), 64).unwrap(),
    );
    let decoder = decoder(TokenFormat::Encrypted, &["new", "old"]);
    let plain = serde_json::to_vec(&claims()).unwrap();
    for extra in [json!({}), json!({ "typ": "JWT" })] {
        let mut header = json!({ "alg": "dir", "enc": "A256CBC-HS512", "kid": thumbprint(&new) });
        header.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let crossed = seal(&header, &plain, &old).unwrap();
        assert_eq!(decoder.decode(&crossed, NOW), Err(TokenError::Tampered), "{header}");
        header.as_object_mut().unwrap().remove("kid");
        assert_eq!(decoder.decode(&seal(&header, &plain, &old).unwrap(), NOW), Ok(claims()));
    }
}

#[test]
fn token_iv_and_tag_need_exact_length_and_encoding() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
    for (format, token) in [
        (TokenFormat::Encrypted, encrypt_v5(&claims(), "secret", NAME, Enc::A256CbcHs512, true)),
        (TokenFormat::Encrypted, encrypt_v5(&claims(), "secret", NAME, Enc::A256Gcm, true)),
        (TokenFormat::EncryptedV4, encrypt_v4(&claims(), "secret")),
    ] {
        let decoder = decoder(format, &["secret"]);
        let parts: Vec<&str> = token.split('.').collect();
        let with = |at: usize, part: String| {
            let mut parts = parts.clone();
            parts[at] = &part;
            decoder.decode(&parts.join("."), NOW)
        };
        for at in [2, 4] {
            let bytes = BASE64.decode(parts[at]).unwrap();
            for wrong in [&bytes[1..], &[&bytes[..], &[0]].concat(), &[], &[0; 24], &[0; 64], &[0; 4096]] {
                assert_eq!(with(at, BASE64.encode(wrong)), Err(TokenError::Malformed), "{at} {wrong:?}");
            }
        }
        for at in [0, 2, 3, 4] {
            for end in ["=", "+", "/", " ", "\n", "é"] {
                assert_eq!(
                    with(at, format!("{}{end}", parts[at])),
                    Err(TokenError::Malformed),
                    "{at} {end:?}"
                );
            }
        }
        // The last character of a tag has unused bits. They must be zero, or two texts would decode to the same bytes.
        let last = parts[4].chars().last().unwrap();
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let other = alphabet.chars().nth(alphabet.find(last).unwrap() ^ 1).unwrap();
        let stem = &parts[4][..parts[4].len() - 1];
        assert_eq!(with(4, format!("{stem}{other}")), Err(TokenError::Malformed));
    }
}

#[test]
fn token_with_any_changed_byte_is_refused() {
    for enc in [Enc::A256CbcHs512, Enc::A256Gcm] {
        for kid in [true, false] {
            assert_changes_are_refused(&encrypt_v5(&claims(), "secret", NAME, enc, kid));
        }
    }
}

fn assert_changes_are_refused(token: &str) {
    let decoder = decoder(TokenFormat::Encrypted, &["secret"]);
    for at in 0..token.len() {
        let mut bytes = token.as_bytes().to_vec();
        bytes[at] = match bytes[at] {
            b'A' => b'B',
            _ => b'A',
        };
        let changed = String::from_utf8(bytes).unwrap();
        assert!(changed == token || decoder.decode(&changed, NOW).is_err(), "byte {at}");
    }
    for text in [
        "",
        ".",
        "....",
        ".....",
        "a.b.c.d",
        &token[1..],
        &token[..token.len() - 1],
        &format!("{token}."),
        &format!("{token}="),
    ] {
        assert!(decoder.decode(text, NOW).is_err(), "{text}");
    }
    assert_eq!(decoder.decode(&token.replacen("..", ".AA.", 1), NOW), Err(TokenError::Malformed));
}

#[test]
fn token_claims_must_be_an_object_and_valid_now() {
    let key = derive_key("secret", &token_key(TokenFormat::Encrypted, NAME).unwrap(), 64).unwrap();
    let header = json!({ "alg": "dir", "enc": "A256CBC-HS512" });
    let decode = |plain: &[u8]| {
        decoder(TokenFormat::Encrypted, &["secret"]).decode(&seal(&header, plain, &key).unwrap(), NOW)
    };
    for plain in ["[]", "\"a\"", "1", "null", "", "{", "{}x"] {
        assert_eq!(decode(plain.as_bytes()), Err(TokenError::Malformed), "{plain}");
    }
    assert_eq!(decode(b"\xff"), Err(TokenError::Malformed));
    assert_eq!(decode(format!("{{\"exp\":{}}}", NOW - 15).as_bytes()), Err(TokenError::Expired));
    assert_eq!(decode(format!("{{\"nbf\":{}}}", NOW + 16).as_bytes()), Err(TokenError::NotYetValid));
    assert_eq!(decode(b"{}"), Err(TokenError::NotASession));
    assert!(decode(br#"{"sub":"1"}"#).is_ok());
    for plain in
        [&b"{\"a\":\"\xff\"}"[..], b"[{\"exp\":1}]", b"{\"exp\":null}", b"{\"sub\":\"1\",\"n\":1e999}"]
    {
        assert_eq!(decode(plain), Err(TokenError::Malformed), "{plain:?}");
    }
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(9000), "]".repeat(9000));
    assert_eq!(decode(deep.as_bytes()), Err(TokenError::Malformed));
}

#[test]
fn decoder_debug_prints_no_key() {
    let token = encrypt_v5(&claims(), "secret", NAME, Enc::A256CbcHs512, true);
    let decoder = decoder(TokenFormat::Encrypted, &["secret"]);
    assert_eq!(format!("{decoder:?}"), "Decoder(..)");
    let open = decoder.open(&token, NOW).unwrap();
    let open = open.into_text();
    assert_eq!(serde_json::from_str::<Value>(&open).unwrap(), Value::Object(claims()));
    fn assert_send_and_sync<T: Send + Sync>() {}
    assert_send_and_sync::<Decoder>();
}

#[test]
fn signed_token_needs_the_configured_algorithm() {
    let sign = |algorithm, secret: &str| {
        let signer = (jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.signer_factory)(
            &algorithm,
            &EncodingKey::from_secret(secret.as_bytes()),
        )
        .unwrap();
        let part = |value: &Value| {
            base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, value.to_string())
        };
        let header = serde_json::to_value(Header::new(algorithm)).unwrap();
        let message = format!("{}.{}", part(&header), part(&Value::Object(claims())));
        let signature = jsonwebtoken::signature::Signer::sign(&*signer, message.as_bytes());
        let signature = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, signature);
        format!("{message}.{signature}")
    };
    let decoder = decoder(TokenFormat::Hs256, &["new", "secret"]);
    let token = sign(Algorithm::HS256, "secret");
    assert_eq!(decoder.decode(&token, NOW), Ok(claims()));
    assert_eq!(decoder.decode(&sign(Algorithm::HS256, "other"), NOW), Err(TokenError::Tampered));
    assert_eq!(decoder.decode(&sign(Algorithm::HS512, "secret"), NOW), Err(TokenError::Unsupported));
    assert_eq!(decoder.decode(&token, NOW + 75), Err(TokenError::Expired));
    let (message, _) = token.rsplit_once('.').unwrap();
    assert_eq!(decoder.decode(&format!("{message}."), NOW), Err(TokenError::Tampered));
    // {"alg":"none"}
    let none = format!("eyJhbGciOiJub25lIn0.{}.", message.split_once('.').unwrap().1);
    assert_eq!(decoder.decode(&none, NOW), Err(TokenError::Unsupported));
}

#[test]
fn truncated_public_key_is_refused_at_start() {
    let pem = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n";
    for format in [TokenFormat::Rs256, TokenFormat::Es256, TokenFormat::Eddsa, TokenFormat::Ps512] {
        let secret = [Zeroizing::new(pem.to_owned())];
        assert_eq!(
            Decoder::new(format, &secret, NAME, Demands::NONE).err(),
            Some(KeyError::Pem),
            "{format:?}"
        );
    }
}

proptest! {
    #[test]
    fn decoding_random_text_never_panics(text in "[ -~]{0,300}") {
        let _ = decoder(TokenFormat::Encrypted, &["secret"]).decode(&text, NOW);
        let _ = decoder(TokenFormat::Hs256, &["secret"]).decode(&text, NOW);
    }

    #[test]
    fn encrypted_claims_decode_unchanged(name in "\\PC{0,40}", number in any::<i64>()) {
        let Value::Object(claims) = json!({ "sub": "1", "name": name, "n": number }) else { unreachable!() };
        let token = encrypt_v5(&claims, "secret", NAME, Enc::A256CbcHs512, true);
        prop_assert_eq!(decoder(TokenFormat::Encrypted, &["secret"]).decode(&token, NOW), Ok(claims));
    }
}
