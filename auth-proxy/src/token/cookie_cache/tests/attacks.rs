//! What a visitor could send instead of a genuine cache. Nothing of it is used.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};

use super::*;

fn assert_refused(format: TokenFormat, cookie: &str, cache: &str, attack: &str) {
    let opened = reader(format).open(cookie, cache, NOW);
    assert!(opened.is_err(), "{format}: {attack}");
}

/// Damaged caches, as in the Wycheproof vectors: every bit, every length, other encodings, parts exchanged.
#[test]
fn no_changed_byte_and_no_cut_cache_is_accepted() {
    for format in FORMATS {
        let (reader, cookie, good) = (reader(format), cookie(), sealed(format, &payload()));
        assert!(reader.open(&cookie, &good, NOW).is_ok());
        for at in 0..good.len() {
            for bit in [0, 1, 5] {
                let mut changed = good.clone().into_bytes();
                changed[at] ^= 1 << bit;
                let changed = String::from_utf8(changed).unwrap();
                assert!(reader.open(&cookie, &changed, NOW).is_err(), "{format}, bit {bit} of byte {at}");
            }
            assert!(reader.open(&cookie, &good[..at], NOW).is_err(), "{format}, cut at {at}");
        }
        for (attack, changed) in [
            ("a surplus character", format!("{good}A")),
            ("padding", format!("{good}=")),
            ("a dot", format!("{good}.")),
            ("a dot in front", format!(".{good}")),
            ("white space", format!(" {good}")),
            ("a line break", format!("{good}\n")),
            ("quotes", format!("\"{good}\"")),
            ("percent-encoding", good.replacen('e', "%65", 1)),
            ("twice", format!("{good}{good}")),
            ("a byte order mark", format!("\u{feff}{good}")),
        ] {
            assert_refused(format, &cookie, &changed, attack);
        }
    }
}

#[test]
fn no_form_is_accepted_as_another() {
    for configured in FORMATS {
        for sent in FORMATS.into_iter().filter(|sent| *sent != configured) {
            let cache = sealed(sent, &payload());
            assert_refused(configured, &cookie(), &cache, &format!("a cache in the format {sent}"));
        }
    }
}

#[test]
fn no_other_signature_of_the_same_secret_is_accepted() {
    let text = payload().to_string();
    // A signed cookie contains an HMAC under the same key. Its value is chosen by the upstream, here by the visitor.
    let members = text.strip_suffix('}').unwrap();
    let signed = mint::signed_cookie(&text, SECRET);
    let signature = STANDARD.decode(signed.rsplit_once('.').unwrap().1).unwrap();
    let envelope = |expires: &str| {
        let signature = URL_SAFE_NO_PAD.encode(&signature);
        let text = format!(r#"{{"session":{text},"expiresAt":{expires},"signature":"{signature}"}}"#);
        URL_SAFE_NO_PAD.encode(text)
    };
    assert_refused(TokenFormat::Compact, &cookie(), &envelope("1800000300000"), "the signature of a cookie");
    let with_expiry = format!(r#"{members},"expiresAt":1}}"#);
    let signed = mint::signed_cookie(&with_expiry, SECRET);
    let signature = STANDARD.decode(signed.rsplit_once('.').unwrap().1).unwrap();
    let cut = format!(
        r#"{{"session":{with_expiry},"expiresAt":1800000300000,"signature":"{}"}}"#,
        URL_SAFE_NO_PAD.encode(signature)
    );
    assert_refused(TokenFormat::Compact, &cookie(), &URL_SAFE_NO_PAD.encode(cut), "an expiry in the data");
    // Tokens of the upstream for other purposes: a verification mail, an account cookie, a token of the jwt plugin.
    let exp = EXPIRES / 1000;
    for claims in [
        format!(r#"{{"email":"ada@example.com","iat":1,"exp":{exp}}}"#),
        format!(r#"{{"sub":"u1","id":"u1","name":"Ada","email":"ada@example.com","exp":{exp}}}"#),
        format!(r#"{{"session":{{}},"user":{{}},"updatedAt":1,"exp":{exp}}}"#),
        format!(r#"{{"accessToken":"x","userId":"u1","exp":{exp}}}"#),
        r#"{"exp":9999999999}"#.to_owned(),
    ] {
        let jwt = mint::hs256(r#"{"alg":"HS256"}"#, &claims, SECRET);
        assert_refused(TokenFormat::Jwt, &cookie(), &jwt, &claims);
        assert_refused(TokenFormat::Jwe, &cookie(), &jwe(&claims), &claims);
    }
}

#[test]
fn unsigned_and_self_signed_caches_are_refused() {
    let text = payload().to_string();
    for secret in ["", "secret", "better-auth-secret-12345678901234567890", OLD] {
        let compact = mint::compact(&text, &EXPIRES.to_string(), secret);
        assert_refused(TokenFormat::Compact, &cookie(), &compact, secret);
    }
    for signature in ["", "AAAA", &"A".repeat(43), &"A".repeat(44)] {
        let envelope = format!(r#"{{"session":{text},"expiresAt":{EXPIRES},"signature":"{signature}"}}"#);
        assert_refused(TokenFormat::Compact, &cookie(), &URL_SAFE_NO_PAD.encode(envelope), signature);
    }
    let members = text.strip_suffix('}').unwrap();
    let claims = format!(r#"{members},"exp":{}}}"#, EXPIRES / 1000);
    for header in [r#"{"alg":"none"}"#, r#"{"alg":"None"}"#, r#"{"alg":""}"#, r#"{"alg":"HS256"}"#] {
        let unsigned = format!("{}.{}.", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(&claims));
        assert_refused(TokenFormat::Jwt, &cookie(), &unsigned, header);
    }
}

#[test]
fn the_signature_and_the_cache_have_one_spelling() {
    let good = sealed(TokenFormat::Compact, &changed("user.name", Some(json!("~~~???>>>"))));
    let text = URL_SAFE_NO_PAD.decode(&good).unwrap();
    let standard = good.replace('-', "+").replace('_', "/");
    assert_ne!(standard, good);
    assert_refused(TokenFormat::Compact, &cookie(), &standard, "another alphabet");
    // White space after the JSON makes a length that needs padding.
    let padded = [" ", "  "].map(|spaces| URL_SAFE.encode([&text[..], spaces.as_bytes()].concat()));
    let padded: Vec<_> = padded.iter().filter(|text| text.ends_with('=')).collect();
    assert!(!padded.is_empty());
    for cache in padded {
        assert_refused(TokenFormat::Compact, &cookie(), cache, "padding");
        let without = reader(TokenFormat::Compact).open(&cookie(), cache.trim_end_matches('='), NOW);
        assert!(without.is_ok());
    }
    let not_utf8 = [&text[..], &[0xff]].concat();
    assert_refused(TokenFormat::Compact, &cookie(), &URL_SAFE_NO_PAD.encode(not_utf8), "not UTF-8");
    for text in ["[]", "null", "1", "\"x\"", "{}", r#"[{},1,"x"]"#, ""] {
        assert_refused(TokenFormat::Compact, &cookie(), &URL_SAFE_NO_PAD.encode(text), text);
    }
}
