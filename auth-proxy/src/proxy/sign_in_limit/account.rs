//! The account that a request tries to sign in to.
//!
//! Whatever the upstream could read another account from than this code is refused, or the attempts of that account would
//! not be counted: another encoding of the body, and a field that is there twice. The frameworks in front of Auth.js read
//! forms in two ways (`querystring` and `qs`), and of a repeated field each the last one, or a list.

use std::borrow::Cow;
use std::fmt;

use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use percent_encoding::percent_decode_str;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::{Number, Value};
use unicode_normalization::UnicodeNormalization as _;

use super::letters::letters;
use crate::dialect::address_parts;
use crate::error::{AuthError, Reason};
use crate::json::replace_lone_surrogates;

/// The fields of a body, each with its value.
type Fields = Vec<(String, Value)>;

/// How a body is written.
enum Format {
    Json,
    Form,
}

/// The most accounts of an attempt: a registration may have an email address and a name. With more, one request could use up
/// the attempts of many accounts.
const MOST_ACCOUNTS: usize = 2;

/// Whether a query has a `token`, which the link in a mail has.
pub(super) fn has_token(query: &str) -> bool {
    form(query).iter().any(|(name, _)| name == "token")
}

/// The accounts of an attempt: the values of these fields in its query and its body, each in one form for all of its spellings.
/// Usually there is one.
///
/// # Errors
/// `sign_in_unreadable`.
pub(super) fn accounts(
    query: &str,
    headers: &HeaderMap,
    body: &[u8],
    account_fields: &[String],
) -> Result<Vec<String>, AuthError> {
    let unreadable = |why: &'static str| AuthError::new(Reason::SIGN_IN_UNREADABLE).because(why);
    let in_body = if body.is_empty() {
        Fields::new()
    } else {
        let text = text(body);
        match format(headers).map_err(unreadable)? {
            Format::Json => json(&text).ok_or_else(|| unreadable("the body is no JSON object"))?,
            Format::Form => form(&text),
        }
    };
    let mut accounts = Vec::new();
    for fields in [form(query), in_body] {
        for name in account_fields {
            let mut values = fields.iter().filter(|(field, _)| field == name).map(|(_, value)| value);
            match (values.next(), values.next()) {
                (None | Some(Value::Null), None) => {}
                (Some(Value::String(account)), None) => accounts.push(folded(account)),
                (Some(Value::Number(account)), None) => accounts.push(folded(&number(account))),
                (_, None) => return Err(unreadable("a field of the account is no text")),
                (_, Some(_)) => return Err(unreadable("a field of the account is there twice")),
            }
        }
    }
    accounts.sort_unstable();
    accounts.dedup();
    if accounts.len() > MOST_ACCOUNTS {
        return Err(unreadable("there are more than two accounts"));
    }
    Ok(accounts)
}

/// A number as JavaScript reads it: a double, so `42.0` and `4.2e1` are 42.
fn number(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if float.fract() == 0.0 => format!("{:.0}", float.abs()),
        _ => number.to_string(),
    }
}

/// The format of a body. Auth.js, Next.js and Better Auth look for these words anywhere in the type.
fn format(headers: &HeaderMap) -> Result<Format, &'static str> {
    if headers.contains_key(CONTENT_ENCODING) {
        return Err("the body is compressed");
    }
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(one), None) = (types.next(), types.next()) else { return Err("there is not one content type") };
    let one = one.to_str().unwrap_or_default().to_ascii_lowercase();
    let other_charset = one.split("charset").skip(1).any(|rest| {
        let charset = rest.trim_start_matches([' ', '=', '"', '\'']);
        !charset.starts_with("utf-8") && !charset.starts_with("utf8")
    });
    match (one.contains("json"), one.contains("x-www-form-urlencoded")) {
        _ if other_charset => Err("the charset is not UTF-8"),
        (true, false) => Ok(Format::Json),
        (false, true) => Ok(Format::Form),
        _ => Err("the content type is neither JSON nor a form"),
    }
}

/// The text of a body as JavaScript reads it (WHATWG Encoding, section 6): without a byte order mark, and with U+FFFD for
/// invalid bytes.
fn text(body: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body))
}

/// The fields of a form. `qs`, which Express uses, reads `a[]=1` and `[a]=1` as the field `a`.
fn form(text: &str) -> Fields {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = text.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let field = |(name, value): (&str, &str)| {
        let name = decoded(name);
        let root = name.split(['[', ']']).find(|part| !part.is_empty()).unwrap_or_default().to_owned();
        (root, Value::String(decoded(value)))
    };
    pairs.map(field).collect()
}

/// The fields of a JSON object, with those that are there twice.
fn json(text: &str) -> Option<Fields> {
    struct Object;

    impl<'de> Visitor<'de> for Object {
        type Value = Fields;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
            let mut fields = Fields::new();
            while let Some(field) = map.next_entry()? {
                fields.push(field);
            }
            Ok(fields)
        }
    }

    let text = replace_lone_surrogates(text);
    let mut json = serde_json::Deserializer::from_str(&text);
    let fields = json.deserialize_map(Object).ok()?;
    json.end().ok()?;
    Some(fields)
}

/// One form for the spellings of an account that a server may take for the same: see [`letters`]. Of an address only the parts
/// count that a server uses.
fn folded(account: &str) -> String {
    // NFKD may bring forth an `@` or a comma.
    let plain: String = account.nfkd().collect();
    let (local, domain) = address_parts(&plain);
    match domain {
        Some(domain) => format!("{}@{}", letters(local), letters(domain)),
        None => letters(local),
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    const JSON: (HeaderName, &str) = (CONTENT_TYPE, "application/json");
    const FORM: (HeaderName, &str) = (CONTENT_TYPE, "application/x-www-form-urlencoded");

    fn read(headers: &[(HeaderName, &'static str)], body: impl AsRef<[u8]>) -> Result<Vec<String>, ()> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, HeaderValue::from_static(value));
        }
        let fields = ["email", "username"].map(str::to_owned);
        accounts("", &map, body.as_ref(), &fields)
            .map_err(|error| assert_eq!(error.code(), "sign_in_unreadable"))
    }

    #[test]
    fn spellings_of_one_account_are_one() {
        let ada = read(&[FORM], "email=ada@example.com").unwrap();
        assert_eq!(ada, ["ada@examplecom"]);
        for form in [
            "email=ADA@Example.COM",
            "email=+ada%40example.com%20",
            "email=%61da%40example%2ecom&password=x",
            "csrfToken=a&e%6dail=ada@example.com",
            "email[]=ada@example.com",
            "email%5B%5D=ada@example.com",
            "[email]=ada@example.com",
            "email[0][x]=ada@example.com",
            "email=\u{e1}d\u{e4}@example.com",
            "email=%EF%BC%A1da@example.com",
            "email=a%CC%81da@example.com",
            "email=ada%00@example.com%e2%80%8b",
            "email=ada%D8%90@example.com",
            "email=a%D9%80da%D9%80@example.com",
            "email=ada%CD%85@example.com",
            "email=ad%D6%B0a@example.com",
            "email=a%C3%B0a@example.com",
            "email=ada@example.com,1",
            "email=ada@example.com@other.example",
        ] {
            assert_eq!(read(&[FORM], form).as_ref(), Ok(&ada), "{form}");
        }
        for json in [
            r#"{"email":"Ada@example.com"}"#,
            r#"{"\u0065mail":"\u0061da@example.com","password":"x"}"#,
            "\u{feff} {\"x\":\"\\ud800\",\"email\":\"ada@example.com\"} ",
            r#"{"username":null,"email":"ada@example.com","deep":{"email":"bob"}}"#,
        ] {
            assert_eq!(read(&[JSON], json).as_ref(), Ok(&ada), "{json}");
        }
        assert_eq!(read(&[JSON], b"{\"x\":\"\xff\",\"email\":\"ada@example.com\"}"), Ok(ada));
    }

    #[test]
    fn different_accounts_stay_different() {
        let of = |form: &str| read(&[FORM], form).unwrap();
        assert_ne!(of("email=ada@example.com"), of("email=bob@example.com"));
        assert_ne!(of("email=ada@example.com"), of("email=ada@example.org"));
        assert_ne!(of("username=ada"), of("username=ada1"));
        assert_ne!(of("username=ada2"), of("username=ada1"));
        assert_ne!(of("username=山田太郎"), of("username=山田花子"));
        assert_ne!(of("username=محمد"), of("username=أحمد"));
        assert_ne!(of("username=иван"), of("username=анна"));
        assert_eq!(of("username=ada&email=a@b.c&x=y"), ["a@bc", "ada"]);
        assert_eq!(of("username=ada&email=ADA"), ["ada"]);
        assert_eq!(of("password=ada&Email=x&csrfToken=y"), [""; 0]);
        for number in ["42", "42.0", "4.2e1", "\"42\"", "-42"] {
            assert_eq!(read(&[JSON], format!("{{\"username\":{number}}}")).unwrap(), ["42"], "{number}");
        }
        assert_eq!(read(&[JSON], r#"{"username":4.25}"#).unwrap(), ["425"]);
        assert_eq!(read(&[JSON], r#"{"username":-0.0}"#).unwrap(), ["0"]);
        assert_eq!(read(&[], "").unwrap(), [""; 0]);
    }

    #[test]
    fn body_that_a_server_may_read_otherwise_is_refused() {
        let body = r#"{"email":"ada@example.com"}"#;
        for types in [
            &[][..],
            &[(CONTENT_TYPE, "text/plain")],
            &[(CONTENT_TYPE, "multipart/form-data; boundary=x")],
            &[(CONTENT_TYPE, "application/json; x=application/x-www-form-urlencoded")],
            &[(CONTENT_TYPE, "application/json; charset=utf-16")],
            &[(CONTENT_TYPE, "application/json;charset=\"UTF-7\"")],
            &[JSON, (CONTENT_ENCODING, "gzip")],
            &[JSON, FORM],
        ] {
            assert_eq!(read(types, body), Err(()), "{types:?}");
        }
        for types in [
            (CONTENT_TYPE, "APPLICATION/JSON; charset=UTF-8"),
            (CONTENT_TYPE, "application/ld+json;charset=\"utf-8\""),
        ] {
            assert!(read(&[types], body).is_ok());
        }
        for json in [
            "[]",
            "null",
            "1",
            "{",
            r#"{"email":"a"} x"#,
            r#"{"email":["a"]}"#,
            r#"{"email":{"a":"b"}}"#,
            r#"{"email":true}"#,
            r#"{"email":"a","email":"b"}"#,
            r#"{"email":"a","\u0065mail":"a"}"#,
            r#"{"x":1e999}"#,
        ] {
            assert_eq!(read(&[JSON], json), Err(()), "{json}");
        }
        for form in ["email=a&email=b", "email=a&email[]=b", "[email]=a&e%6Dail=", "email=a&email"] {
            assert_eq!(read(&[FORM], form), Err(()), "{form}");
        }
    }
}
