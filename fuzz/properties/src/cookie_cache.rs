use std::fmt;
use std::sync::LazyLock;
use std::time::{Duration, UNIX_EPOCH};

use auth_proxy::options::TokenFormat;
use auth_proxy::testing::{CookieCacheOpener, mint_cookie_cache, mint_signed_cookie};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::world::SECRET;

const TOKEN: &str = "abcdefghijklmnopqrstuvwxyz012345";

/// 2027-01-15T08:00:00.000Z, in milliseconds.
const NOW: u64 = 1_800_000_000_000;
const NOW_TEXT: &str = "2027-01-15T08:00:00.000Z";
const EXPIRES: u64 = NOW + 300_000;

const FORMATS: [TokenFormat; 3] = [TokenFormat::Compact, TokenFormat::Jwt, TokenFormat::Jwe];

static OPENERS: LazyLock<[CookieCacheOpener; 3]> =
    LazyLock::new(|| FORMATS.map(|format| CookieCacheOpener::new(format, &[SECRET]).unwrap()));

static COOKIE: LazyLock<String> = LazyLock::new(|| mint_signed_cookie(TOKEN, SECRET));

/// A genuine cache in each format. They are valid for many years from the real time on, so they are valid at `NOW` too.
static GENUINE: LazyLock<[String; 3]> = LazyLock::new(|| {
    let session = json!({
        "session": { "id": "s1", "userId": "u1", "token": TOKEN, "expiresAt": "2999-01-01T00:00:00.000Z" },
        "user": { "id": "u1", "name": "Ada", "email": "ada@example.com" },
    });
    FORMATS.map(|format| mint_cookie_cache(format, &session, Duration::from_secs(100 * 365 * 86_400), SECRET))
});

/// Input, by its first byte:
///
/// - `c` or `j`: the text of the data, which is signed here in the form `compact` or `jwt`;
/// - `=`, the number of a format, and edits of its genuine cache, of three bytes each: a position and a byte;
/// - else: the value of the session cookie, a line break, and the value of the cache.
///
/// Property: a cache is used only if the rules allow it, which are written here a second time, and then with the same
/// session and user. An encrypted cache is used only if it is genuine, byte for byte.
pub fn cookie_cache(data: &[u8]) {
    match data {
        [kind @ (b'c' | b'j'), text @ ..] => {
            let Ok(text) = std::str::from_utf8(text) else { return };
            let cache = if *kind == b'c' { compact(text) } else { jwt(text) };
            check(&COOKIE, &cache);
        }
        [b'=', format, edits @ ..] => {
            let genuine = &GENUINE[usize::from(*format) % FORMATS.len()];
            let mut cache = genuine.clone().into_bytes();
            for edit in edits.chunks_exact(3) {
                let at = usize::from(u16::from_be_bytes([edit[0], edit[1]])) % cache.len();
                match edit[2] {
                    0 => drop(cache.remove(at)),
                    1 => cache.insert(at, b'A'),
                    2 => cache.truncate(at.max(1)),
                    byte => cache[at] = byte,
                }
                if cache.is_empty() {
                    return;
                }
            }
            let Ok(cache) = String::from_utf8(cache) else { return };
            let is_used = check(&COOKIE, &cache);
            assert!(is_used || cache != *genuine, "the genuine cache is refused");
        }
        data => {
            let Ok(text) = std::str::from_utf8(data) else { return };
            let (cookie, cache) = text.split_once('\n').unwrap_or((&COOKIE, text));
            check(cookie, cache);
        }
    }
}

/// Checks the cookies in every format. Returns whether one of them uses the cache.
fn check(cookie: &str, cache: &str) -> bool {
    let now = UNIX_EPOCH + Duration::from_millis(NOW);
    let mut is_used = false;
    for (n, opener) in OPENERS.iter().enumerate() {
        let Ok(opened) = opener.open(cookie, cache, now) else { continue };
        is_used = true;
        assert!(is_signed(cookie), "a session cookie without a signature");
        let token = &cookie[..cookie.len() - 45];
        if FORMATS[n] == TokenFormat::Jwe {
            assert_eq!(cache, GENUINE[n], "a forged cache is used");
            continue;
        }
        let model = if FORMATS[n] == TokenFormat::Compact { of_compact(cache) } else { of_jwt(cache) };
        let text = model.expect("a cache is used that is not signed, or has expired");
        let (mut session, user) = of_data(&text, token).expect("the rules do not allow the data");
        session.remove("token");
        assert_eq!((opened["session"].clone(), opened["user"].clone()), (session.into(), user.into()));
    }
    is_used
}

fn mac(text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), text.as_bytes())
}

fn is_signed(cookie: &str) -> bool {
    cookie.rsplit_once('.').is_some_and(|(token, signature)| signature == STANDARD.encode(mac(token)))
}

fn compact(text: &str) -> String {
    let members = text.strip_suffix('}').unwrap_or(text);
    let signature = URL_SAFE_NO_PAD.encode(mac(&format!(r#"{members},"expiresAt":{EXPIRES}}}"#)));
    URL_SAFE_NO_PAD.encode(format!(r#"{{"session":{text},"expiresAt":{EXPIRES},"signature":"{signature}"}}"#))
}

fn jwt(text: &str) -> String {
    let message =
        format!("{}.{}", URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#), URL_SAFE_NO_PAD.encode(text));
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac(&message)))
}

/// The text of the data in a compact cache that is signed and not expired.
fn of_compact(cache: &str) -> Option<String> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cache).ok()?).ok()?;
    let envelope = members(&text)?;
    let member = |name: &str| single(&envelope, name).map(RawValue::get);
    let expires: u64 = serde_json::from_str(member("expiresAt")?).ok()?;
    let signature: String = serde_json::from_str(member("signature")?).ok()?;
    let data = member("session")?;
    let signed = format!(r#"{},"expiresAt":{expires}}}"#, data.strip_suffix('}')?);
    (signature == URL_SAFE_NO_PAD.encode(mac(&signed)) && expires > NOW).then(|| data.to_owned())
}

/// The text of the data in a signed token that is not expired.
fn of_jwt(cache: &str) -> Option<String> {
    let [header, payload, signature] = cache.split('.').collect::<Vec<_>>().try_into().ok()?;
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    let (message, _) = cache.rsplit_once('.')?;
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    let expires: f64 = serde_json::from_str(single(&members(&text)?, "exp")?.get()).ok()?;
    let is_good = header["alg"] == "HS256" && signature == URL_SAFE_NO_PAD.encode(mac(message));
    (is_good && expires * 1000.0 > NOW as f64).then_some(text)
}

/// The session and the user in data that the rules allow for a session cookie with this token.
fn of_data(text: &str, token: &str) -> Option<(Map<String, Value>, Map<String, Value>)> {
    let data = members(text)?;
    if data.iter().any(|(name, _)| name == "version") {
        let version: String = serde_json::from_str(single(&data, "version")?.get()).ok()?;
        if version != "1" {
            return None;
        }
    }
    single(&data, "updatedAt")?.get().parse::<f64>().ok()?;
    let object = |name: &str| {
        let members = members(single(&data, name)?.get())?;
        let count = members.len();
        let read =
            |(name, value): (String, Box<RawValue>)| Some((name, serde_json::from_str(value.get()).ok()?));
        let object: Map<String, Value> = members.into_iter().map(read).collect::<Option<_>>()?;
        // No name occurs twice.
        (object.len() == count).then_some(object)
    };
    let (session, user) = (object("session")?, object("user")?);
    let text = |object: &Map<String, Value>, name: &str| object.get(name)?.as_str().map(str::to_owned);
    let is_session = text(&session, "token")? == token
        && !text(&session, "id")?.is_empty()
        && text(&session, "userId")? == text(&user, "id")?
        && text(&session, "expiresAt")?.as_str() > NOW_TEXT
        && text(&session, "expiresAt")?.len() == NOW_TEXT.len();
    let is_user = text(&user, "name").is_some() && text(&user, "email").is_some();
    (is_session && is_user).then_some((session, user))
}

/// The members of an object in their order.
fn members(text: &str) -> Option<Vec<(String, Box<RawValue>)>> {
    struct Members(Vec<(String, Box<RawValue>)>);

    impl<'de> serde::Deserialize<'de> for Members {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;

            impl<'de> serde::de::Visitor<'de> for Visitor {
                type Value = Members;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("an object")
                }

                fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                    let mut members = Vec::new();
                    while let Some(member) = map.next_entry()? {
                        members.push(member);
                    }
                    Ok(Members(members))
                }
            }

            deserializer.deserialize_map(Visitor)
        }
    }

    serde_json::from_str::<Members>(text).ok().map(|members| members.0)
}

/// The value of a member that occurs once.
fn single<'m>(members: &'m [(String, Box<RawValue>)], name: &str) -> Option<&'m RawValue> {
    let mut found = members.iter().filter(|(member, _)| member == name);
    let first = found.next()?;
    found.next().is_none().then_some(&*first.1)
}
