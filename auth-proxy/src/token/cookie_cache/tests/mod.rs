//! What every form of the cookie cache accepts and refuses. The caches are issued by `mint`, whose output the
//! conformance tests compare with the real library.

mod attacks;
mod forms;
mod public;

use serde_json::{Map, Value, json};

use super::*;
use crate::token::encrypt::seal;
use crate::token::keys;

const SECRET: &str = "the current secret of the tests, 32 bytes";
const OLD: &str = "an older secret of the tests, 32 bytes";
const NOW: u64 = 1_800_000_000_000;
const TOKEN: &str = "abcdefghijklmnopqrstuvwxyz012345";
/// `exp` has whole seconds.
const EXPIRES: u64 = NOW + 300_000;
const FORMATS: [TokenFormat; 3] = [TokenFormat::Compact, TokenFormat::Jwt, TokenFormat::Jwe];

fn secrets(secrets: &[&str]) -> Vec<Zeroizing<String>> {
    secrets.iter().map(|secret| Zeroizing::new((*secret).to_owned())).collect()
}

fn reader(format: TokenFormat) -> CookieCache {
    CookieCache::new(format, &secrets(&[SECRET, OLD])).unwrap()
}

fn cookie() -> String {
    mint::signed_cookie(TOKEN, SECRET)
}

/// The data as the upstream writes it.
fn payload() -> Value {
    json!({
        "session": {
            "id": "s1", "userId": "u1", "token": TOKEN, "expiresAt": "2027-02-01T00:00:00.000Z",
            "createdAt": "2027-01-01T00:00:00.000Z", "updatedAt": "2027-01-01T00:00:00.000Z",
            "ipAddress": "", "userAgent": null, "activeOrganizationId": null,
        },
        "user": {
            "id": "u1", "name": "Ada", "email": "ada@example.com", "emailVerified": false, "image": null,
            "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z", "role": "admin",
        },
        "updatedAt": NOW, "version": "1",
    })
}

/// The data with one member changed or added, or removed for `None`. The path has the form `session.token` or `version`.
fn changed(path: &str, value: Option<Value>) -> Value {
    let mut payload = payload();
    let (object, name) = match path.split_once('.') {
        Some((object, name)) => (&mut payload[object], name),
        None => (&mut payload, path),
    };
    match value {
        Some(value) => object[name] = value,
        None => drop(object.as_object_mut().unwrap().remove(name)),
    }
    payload
}

/// A cache of a JSON text, which need not be valid data.
fn sealed_text(format: TokenFormat, text: &str) -> String {
    if format == TokenFormat::Compact {
        return mint::compact(text, &EXPIRES.to_string(), SECRET);
    }
    let members = text.strip_suffix('}').unwrap();
    let claims = format!(r#"{members},"iat":{},"exp":{}}}"#, NOW / 1000, EXPIRES / 1000);
    if format == TokenFormat::Jwt { mint::hs256(r#"{"alg":"HS256"}"#, &claims, SECRET) } else { jwe(&claims) }
}

/// A JWE of a text under the current secret.
fn jwe(text: &str) -> String {
    let key = key(SECRET, 64);
    let header = json!({ "alg": "dir", "enc": "A256CBC-HS512", "kid": keys::sha256_thumbprint(&key) });
    seal(&header, text.as_bytes(), &key).unwrap()
}

fn key(secret: &str, bytes: usize) -> keys::Material {
    keys::derive_key(secret, &token_key(TokenFormat::Jwe, "").unwrap(), bytes).unwrap()
}

fn sealed(format: TokenFormat, payload: &Value) -> String {
    sealed_text(format, &payload.to_string())
}

/// The reason why a cache is not used, in each format. All formats must agree.
fn refusal(payload: &Value) -> Option<NotUsable> {
    refusal_of_text(&payload.to_string())
}

fn refusal_of_text(text: &str) -> Option<NotUsable> {
    let refusals =
        FORMATS.map(|format| reader(format).open(&cookie(), &sealed_text(format, text), NOW).err());
    assert!(refusals.iter().all(|refusal| *refusal == refusals[0]), "{refusals:?} for {text}");
    refusals[0]
}

#[test]
fn good_cache_is_read_in_every_format() {
    for format in FORMATS {
        let cached = reader(format).open(&cookie(), &sealed(format, &payload()), NOW).unwrap();
        let mut session = payload()["session"].clone();
        session.as_object_mut().unwrap().remove("token");
        assert_eq!(Value::Object(cached.session), session, "{format}");
        assert_eq!(Value::Object(cached.user), payload()["user"], "{format}");
        assert_eq!(cached.expires_ms, EXPIRES, "{format}");
    }
}

#[test]
fn minted_cache_is_read_until_it_expires_and_under_its_own_secret_only() {
    let session = payload();
    for format in FORMATS {
        let mint = |secret| mint::cookie_cache(format, session.as_object().unwrap(), (NOW, EXPIRES), secret);
        let open = |cache: &str, now| reader(format).open(&cookie(), cache, now).map(|_| ());
        let cache = mint(SECRET).unwrap();
        assert_eq!(open(&cache, EXPIRES - 1), Ok(()), "{format}");
        assert_eq!(open(&cache, EXPIRES), Err(NotUsable::Expired), "{format}");
        assert!(open(&mint("another secret").unwrap(), NOW).is_err(), "{format}");
    }
    assert!(mint::cookie_cache(TokenFormat::Rs256, &Map::new(), (NOW, EXPIRES), SECRET).is_none());
}

#[test]
fn session_cookie_must_be_signed_with_the_current_secret() {
    for format in FORMATS {
        let cache = sealed(format, &payload());
        for cookie in [
            mint::signed_cookie(TOKEN, OLD),
            mint::signed_cookie(TOKEN, "another secret"),
            TOKEN.to_owned(),
            format!("{TOKEN}."),
            cookie().replace('=', "%3D"),
            String::new(),
        ] {
            let refusal = reader(format).open(&cookie, &cache, NOW).err();
            assert_eq!(refusal, Some(NotUsable::SessionCookie), "{format}, {cookie}");
        }
    }
}

#[test]
fn cache_of_another_session_is_refused() {
    for token in ["another token", "", "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"] {
        let expected = if token.is_empty() { NotUsable::Fields } else { NotUsable::OtherSession };
        assert_eq!(refusal(&changed("session.token", Some(json!(token)))), Some(expected), "{token}");
    }
    for format in FORMATS {
        let other = mint::signed_cookie("another token", SECRET);
        let refusal = reader(format).open(&other, &sealed(format, &payload()), NOW).err();
        assert_eq!(refusal, Some(NotUsable::OtherSession), "{format}");
    }
}

#[test]
fn cache_with_the_data_of_another_user_is_refused() {
    for path in ["user.id", "session.userId"] {
        assert_eq!(refusal(&changed(path, Some(json!("u2")))), Some(NotUsable::OtherUser), "{path}");
    }
}

#[test]
fn version_must_be_1_or_missing() {
    assert_eq!(refusal(&changed("version", None)), None);
    for version in ["2", "", "1.0", "01"] {
        assert_eq!(refusal(&changed("version", Some(json!(version)))), Some(NotUsable::Version), "{version}");
    }
    for version in [json!(1), json!(null), json!(["1"])] {
        assert_eq!(
            refusal(&changed("version", Some(version.clone()))),
            Some(NotUsable::Malformed),
            "{version}"
        );
    }
}

#[test]
fn cache_is_not_used_from_its_expiry_on() {
    for format in FORMATS {
        let (reader, cache) = (reader(format), sealed(format, &payload()));
        let at = |now| reader.open(&cookie(), &cache, now).err();
        assert_eq!(at(EXPIRES - 1), None, "{format}");
        assert_eq!(at(EXPIRES), Some(NotUsable::Expired), "{format}");
        assert_eq!(at(u64::MAX), Some(NotUsable::Expired), "{format}");
    }
}

#[test]
fn session_must_not_be_over() {
    // 2027-01-15T08:00:00.000Z is `NOW`.
    for (expires, expected) in [
        ("2027-01-15T08:00:00.001Z", Ok(NOW + 1)),
        ("2027-01-15T08:01:00.000Z", Ok(NOW + 60_000)),
        ("2027-01-15T08:01:00Z", Err(NotUsable::Fields)),
        ("2999-01-01T00:00:00.000Z", Ok(EXPIRES)),
        ("2027-01-15T08:00:00.000Z", Err(NotUsable::SessionExpired)),
        ("2026-01-01T00:00:00.000Z", Err(NotUsable::SessionExpired)),
        ("2027-02-30T00:00:00.000Z", Err(NotUsable::Fields)),
        ("2027-02-01", Err(NotUsable::Fields)),
        ("", Err(NotUsable::Fields)),
    ] {
        let payload = changed("session.expiresAt", Some(json!(expires)));
        for format in FORMATS {
            let cached = reader(format).open(&cookie(), &sealed(format, &payload), NOW);
            assert_eq!(cached.map(|cached| cached.expires_ms), expected, "{format}, {expires}");
        }
    }
    for expires in [json!(NOW + 60_000), json!(null), json!(["2999-01-01T00:00:00.000Z"])] {
        let payload = changed("session.expiresAt", Some(expires.clone()));
        assert_eq!(refusal(&payload), Some(NotUsable::Fields), "{expires}");
    }
}

#[test]
fn session_and_user_need_their_fields() {
    for path in [
        "session.id",
        "session.userId",
        "session.token",
        "session.expiresAt",
        "user.id",
        "user.email",
        "user.name",
    ] {
        for value in [None, Some(json!(null)), Some(json!(1)), Some(json!({})), Some(json!(true))] {
            assert_eq!(refusal(&changed(path, value.clone())), Some(NotUsable::Fields), "{path} {value:?}");
        }
    }
    for path in ["session.id", "session.userId", "user.id"] {
        assert_eq!(refusal(&changed(path, Some(json!("")))), Some(NotUsable::Fields), "{path}");
    }
    assert_eq!(refusal(&changed("user.name", Some(json!("")))), None);
    for path in ["session", "user", "updatedAt"] {
        for value in [None, Some(json!(null)), Some(json!([])), Some(json!("x"))] {
            assert_eq!(
                refusal(&changed(path, value.clone())),
                Some(NotUsable::Malformed),
                "{path} {value:?}"
            );
        }
    }
}

#[test]
fn other_fields_that_the_upstream_checks_must_have_their_type() {
    let paths = ["session.createdAt", "session.updatedAt", "user.createdAt", "user.updatedAt"];
    for path in paths {
        assert_eq!(refusal(&changed(path, None)), None, "{path}");
        for value in [json!(null), json!(1), json!("yesterday")] {
            assert_eq!(
                refusal(&changed(path, Some(value.clone()))),
                Some(NotUsable::Fields),
                "{path} {value}"
            );
        }
    }
    for path in ["session.ipAddress", "session.userAgent", "user.image"] {
        for (value, expected) in [
            (None, None),
            (Some(json!(null)), None),
            (Some(json!("x")), None),
            (Some(json!(1)), Some(NotUsable::Fields)),
        ] {
            assert_eq!(refusal(&changed(path, value.clone())), expected, "{path} {value:?}");
        }
    }
    assert_eq!(refusal(&changed("user.emailVerified", None)), None);
    for value in [json!(null), json!("true"), json!(1)] {
        assert_eq!(refusal(&changed("user.emailVerified", Some(value))), Some(NotUsable::Fields));
    }
    // The upstream reads such a string as a date.
    for path in ["user.name", "user.email", "session.userAgent", "session.id"] {
        let date = json!("2026-01-01T00:00:00Z");
        assert_eq!(refusal(&changed(path, Some(date))), Some(NotUsable::Fields), "{path}");
    }
}

#[test]
fn repeated_names_are_refused() {
    let text = payload().to_string();
    for (member, twice) in [
        (r#""token":"#, r#""token":"x","token":"#),
        (r#""userId":"#, r#""userId":"u2","userId":"#),
        (r#""expiresAt":"#, r#""expiresAt":"2999-01-01T00:00:00.000Z","expiresAt":"#),
        (r#""name":"#, r#""name":"Eve","name":"#),
        (r#""role":"#, r#""role":"user","role":"#),
        (r#""role":"#, r#""\u0072ole":"user","role":"#),
        (r#""session":"#, r#""session":{},"session":"#),
        (r#""user":"#, r#""user":{},"user":"#),
        (r#""version":"#, r#""version":"1","version":"#),
        (r#""updatedAt":"#, r#""updatedAt":1,"updatedAt":"#),
    ] {
        assert!(text.contains(member), "{member}");
        let repeated = text.replacen(member, twice, 1);
        assert_eq!(refusal_of_text(&repeated), Some(NotUsable::Malformed), "{twice}");
    }
    // The expiry of the compact form must not be a member of the data.
    assert_eq!(refusal(&changed("expiresAt", Some(json!(EXPIRES)))), Some(NotUsable::Malformed));
}

#[test]
fn deep_long_and_unreadable_data_is_refused() {
    let nested = |levels: usize| {
        let value = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        payload().to_string().replacen(r#""role":"admin""#, &format!(r#""role":{value}"#), 1)
    };
    assert_eq!(refusal_of_text(&nested(62)), None);
    for levels in [63, 200, 5000] {
        assert_eq!(refusal_of_text(&nested(levels)), Some(NotUsable::Malformed), "{levels}");
    }
    for format in FORMATS {
        let long = sealed(format, &changed("user.bio", Some(json!("x".repeat(LIMIT)))));
        assert_eq!(reader(format).open(&cookie(), &long, NOW).err(), Some(NotUsable::TooLong), "{format}");
    }
    assert_eq!(refusal(&changed("user.bio", Some(json!("x".repeat(20_000))))), None);
    // Half of an emoji, a number beyond a double.
    for value in [r#""\ud83d""#, "1e400"] {
        let text = payload().to_string().replacen(r#""admin""#, value, 1);
        assert_eq!(refusal_of_text(&text), Some(NotUsable::Malformed), "{value}");
    }
}

#[test]
fn only_formats_of_the_cookie_cache_are_configured_and_a_secret_is_needed() {
    for format in [TokenFormat::Encrypted, TokenFormat::EncryptedV4, TokenFormat::Hs256, TokenFormat::Rs256] {
        assert!(CookieCache::new(format, &secrets(&[SECRET])).is_err(), "{format}");
    }
    for format in FORMATS {
        assert!(CookieCache::new(format, &[]).is_err(), "{format}");
        assert_eq!(format!("{:?}", reader(format)), "CookieCache(..)");
    }
}
