//! What only one form of the cache has: the signed text of the compact form, the times and algorithms of the tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;

fn compact(data: &str) -> Result<CachedPayload, NotUsable> {
    reader(TokenFormat::Compact).open(&cookie(), data, NOW)
}

/// A compact cache whose JSON text is changed after it was signed.
fn edited(from: &str, to: &str) -> Option<NotUsable> {
    let cache = URL_SAFE_NO_PAD.decode(sealed(TokenFormat::Compact, &payload())).unwrap();
    let text = String::from_utf8(cache).unwrap();
    assert!(text.contains(from), "{from}");
    compact(&URL_SAFE_NO_PAD.encode(text.replacen(from, to, 1))).err()
}

#[test]
fn compact_signature_covers_the_data_and_the_expiry() {
    let expires = format!(r#""expiresAt":{EXPIRES}"#);
    let tampered = Some(NotUsable::Tampered);
    assert_eq!(edited("admin", "owner"), tampered);
    assert_eq!(edited(&expires, &format!(r#""expiresAt":{}"#, EXPIRES + 1)), tampered);
    // The same JSON in another spelling.
    assert_eq!(edited(r#""role":"admin""#, r#""role": "admin""#), tampered);
    assert_eq!(edited("admin", "\\u0061dmin"), tampered);
    // White space and members outside of the signed text.
    assert_eq!(edited(r#"{"session":{"#, r#"{"more":1, "session": {"#), None);
}

#[test]
fn compact_data_is_signed_as_it_was_sent() {
    // The order of members and the form of numbers are those of JavaScript, not those of serde_json.
    let other = r#""z":1e+21,"10":1.0,"a":"\u00e9\/","role":"admin""#;
    let text = payload().to_string().replacen(r#""role":"admin""#, other, 1);
    assert_ne!(serde_json::from_str::<Value>(&text).unwrap().to_string(), text);
    let cached = compact(&mint::compact(&text, &EXPIRES.to_string(), SECRET));
    assert_eq!(cached.unwrap().user["z"], json!(1e21));
}

#[test]
fn compact_expiry_is_a_whole_number_that_javascript_can_write() {
    let text = payload().to_string();
    for (expires, expected) in [
        ("9007199254740991", None),
        ("9007199254740992", Some(NotUsable::Malformed)),
        ("18446744073709551616", Some(NotUsable::Malformed)),
        ("1.8e15", Some(NotUsable::Malformed)),
        ("1800000300000.0", Some(NotUsable::Malformed)),
        ("-1", Some(NotUsable::Malformed)),
        ("null", Some(NotUsable::Malformed)),
        ("\"1800000300000\"", Some(NotUsable::Malformed)),
        ("01800000300000", Some(NotUsable::Malformed)),
        ("0", Some(NotUsable::Expired)),
    ] {
        assert_eq!(compact(&mint::compact(&text, expires, SECRET)).err(), expected, "{expires}");
    }
}

#[test]
fn compact_cache_of_an_older_secret_is_refused() {
    let cache = mint::compact(&payload().to_string(), &EXPIRES.to_string(), OLD);
    assert_eq!(compact(&cache).err(), Some(NotUsable::Tampered));
}

fn jwt(header: &str, claims: &str) -> Option<NotUsable> {
    let cache = mint::hs256(header, claims, SECRET);
    reader(TokenFormat::Jwt).open(&cookie(), &cache, NOW).err()
}

/// The claims of a token, with these times.
fn claims(times: &str) -> String {
    let payload = payload().to_string();
    format!("{}{times}}}", payload.strip_suffix('}').unwrap())
}

#[test]
fn tokens_need_exp_and_their_times_have_no_tolerance() {
    let now = NOW / 1000;
    for (times, expected) in [
        (format!(r#","exp":{}"#, now + 1), None),
        (format!(r#","exp":{now}.5"#), None),
        (format!(r#","exp":{}"#, now + 60), None),
        (format!(r#","exp":{now}"#), Some(NotUsable::Expired)),
        (format!(r#","exp":{}"#, now - 1), Some(NotUsable::Expired)),
        (r#","exp":0"#.to_owned(), Some(NotUsable::Expired)),
        (r#","exp":-1"#.to_owned(), Some(NotUsable::Expired)),
        (r#","exp":1e300"#.to_owned(), None),
        (String::new(), Some(NotUsable::Malformed)),
        (r#","exp":null"#.to_owned(), Some(NotUsable::Malformed)),
        (format!(r#","exp":"{}""#, now + 60), Some(NotUsable::Malformed)),
        (format!(r#","exp":{},"exp":{}"#, now - 60, now + 60), Some(NotUsable::Malformed)),
        (format!(r#","exp":{},"nbf":{now}"#, now + 60), None),
        (format!(r#","exp":{},"nbf":{}"#, now + 60, now + 1), Some(NotUsable::NotYetValid)),
        (format!(r#","exp":{},"iat":{}"#, now + 60, now + 9), None),
        (format!(r#","exp":{},"iat":"x""#, now + 60), Some(NotUsable::Malformed)),
    ] {
        let claims = claims(&times);
        assert_eq!(jwt(r#"{"alg":"HS256"}"#, &claims), expected, "jwt {times}");
        let encrypted = reader(TokenFormat::Jwe).open(&cookie(), &jwe(&claims), NOW).err();
        assert_eq!(encrypted, expected, "jwe {times}");
    }
}

#[test]
fn jwt_has_hs256_and_the_current_secret() {
    let claims = claims(&format!(r#","exp":{}"#, EXPIRES / 1000));
    assert_eq!(jwt(r#"{"alg":"HS256","typ":"JWT","kid":"x"}"#, &claims), None);
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"HS512"}"#,
        r#"{"alg":"RS256"}"#,
        r#"{"alg":"hs256"}"#,
        r#"{"alg":"HS256","crit":["b64"],"b64":true}"#,
        r#"{"alg":"dir","enc":"A256CBC-HS512"}"#,
    ] {
        assert_eq!(jwt(header, &claims), Some(NotUsable::Unsupported), "{header}");
    }
    for header in ["{}", "", "[]", r#"{"alg":"HS256","alg":"none"}"#] {
        assert_eq!(jwt(header, &claims), Some(NotUsable::Malformed), "{header}");
    }
    let old = mint::hs256(r#"{"alg":"HS256"}"#, &claims, OLD);
    let refusal = reader(TokenFormat::Jwt).open(&cookie(), &old, NOW).err();
    assert_eq!(refusal, Some(NotUsable::Tampered));
}

fn open_jwe(header: &Value, secret: &str, bytes: usize) -> Option<NotUsable> {
    let claims = claims(&format!(r#","exp":{}"#, EXPIRES / 1000));
    let cache = seal(header, claims.as_bytes(), &key(secret, bytes)).unwrap();
    reader(TokenFormat::Jwe).open(&cookie(), &cache, NOW).err()
}

#[test]
fn jwe_key_is_that_of_the_kid_or_any_without_one() {
    let header = |kid: Option<&str>| match kid {
        Some(kid) => json!({ "alg": "dir", "enc": "A256CBC-HS512", "kid": kid }),
        None => json!({ "alg": "dir", "enc": "A256CBC-HS512" }),
    };
    let kid = |secret| keys::sha256_thumbprint(&key(secret, 64));
    for secret in [SECRET, OLD] {
        assert_eq!(open_jwe(&header(Some(&kid(secret))), secret, 64), None);
        assert_eq!(open_jwe(&header(None), secret, 64), None);
    }
    assert_eq!(open_jwe(&header(Some(&kid(OLD))), SECRET, 64), Some(NotUsable::Tampered));
    assert_eq!(open_jwe(&header(Some("x")), SECRET, 64), Some(NotUsable::UnknownKey));
    assert_eq!(open_jwe(&header(Some("")), SECRET, 64), Some(NotUsable::UnknownKey));
    // The `kid` of Auth.js has SHA-512.
    let sha512 = keys::thumbprint(&key(SECRET, 64));
    assert_eq!(open_jwe(&header(Some(&sha512)), SECRET, 64), Some(NotUsable::UnknownKey));
    assert_eq!(open_jwe(&header(None), "another secret", 64), Some(NotUsable::Tampered));
    let null = json!({ "alg": "dir", "enc": "A256CBC-HS512", "kid": null });
    assert_eq!(open_jwe(&null, SECRET, 64), Some(NotUsable::Malformed));
}

#[test]
fn jwe_has_one_encryption() {
    for header in [
        json!({ "alg": "dir", "enc": "A256GCM" }),
        json!({ "alg": "dir", "enc": "A256GCM", "kid": keys::sha256_thumbprint(&key(SECRET, 32)) }),
    ] {
        assert_eq!(open_jwe(&header, SECRET, 32), Some(NotUsable::Unsupported), "{header}");
    }
    for header in [
        json!({ "alg": "A256KW", "enc": "A256CBC-HS512" }),
        json!({ "alg": "dir", "enc": "A128CBC-HS256" }),
        json!({ "alg": "dir", "enc": "A256CBC-HS512", "zip": "DEF" }),
        json!({ "alg": "dir", "enc": "A256CBC-HS512", "crit": [] }),
    ] {
        assert_eq!(open_jwe(&header, SECRET, 64), Some(NotUsable::Unsupported), "{header}");
    }
}

/// The key and the name that the real library derives (`docs/better-auth.md#cookie-cache`).
#[test]
fn jwe_key_and_kid_equal_those_of_the_real_library() {
    let key = key("h1-test-secret-0123456789abcdefghijklmnopqrstuv", 64);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!((hex(&key[..4]), hex(&key[60..])), ("6486ed6a".to_owned(), "685348cb".to_owned()));
    assert_eq!(keys::sha256_thumbprint(&key), "0_EnipzNPnHrNRryEPyE9VPr2JPrleoImwYH5nSe9kU");
}
