//! Altered tokens, tokens under other keys, and tokens with other algorithms, against an app that decodes tokens
//! itself. An invalid token is 401 without a lookup.

mod algorithms;

use auth_proxy::options::{Expected, TokenFormat};
use auth_proxy::testing::{mint, mint_v4};
use auth_proxy_tests::App;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};

use crate::support::http1::exchange;
use crate::support::{Auth, app_of};

const SECRET: &str = "a secret that is long enough for a test";
const COOKIE: &str = "authjs.session-token";

/// An app that decodes tokens of this format and whose upstream is unreachable.
async fn app(format: TokenFormat, secrets: &[&str]) -> App {
    let builder = Auth::builder().upstream_base_url("http://127.0.0.1:9").upstream_token(format);
    let builder = builder.upstream_audience(Expected::Any).upstream_issuer(Expected::Any);
    app_of(builder.upstream_secret(secrets.iter().copied())).await.0
}

/// Sends one request with each of these headers. Returns the status, and the error code or the subject, of each
/// response. Requests share connections, since there are thousands.
async fn outcomes(app: &App, headers: &[String]) -> Vec<(u16, String)> {
    let mut outcomes = Vec::new();
    for batch in headers.chunks(64) {
        let mut requests = String::new();
        for (n, header) in batch.iter().enumerate() {
            let connection = if n + 1 == batch.len() { "close" } else { "keep-alive" };
            requests.push_str(&format!(
                "GET /token HTTP/1.1\r\nHost: localhost\r\nConnection: {connection}\r\n{header}\r\n\r\n"
            ));
        }
        let answers = exchange(app.addr, requests.as_bytes()).await;
        assert_eq!(
            answers.len(),
            batch.len(),
            "the connection was closed at {:?}",
            batch[answers.len().min(batch.len() - 1)]
        );
        outcomes.extend(answers.iter().map(|answer| {
            let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
            let result = body.get("code").or(body.get("sub")).and_then(Value::as_str);
            (answer.status(), result.unwrap_or(&answer.body).to_owned())
        }));
    }
    outcomes
}

fn cookie(token: &str) -> String {
    format!("Cookie: {COOKIE}={token}")
}

/// The outcome of one token: the status, and the error code or the subject.
async fn outcome(app: &App, token: &str) -> (u16, String) {
    outcomes(app, &[cookie(token)]).await.remove(0)
}

async fn assert_rejected(app: &App, tokens: &[String], code: &str) {
    let headers: Vec<String> = tokens.iter().map(|token| cookie(token)).collect();
    for (outcome, token) in outcomes(app, &headers).await.iter().zip(tokens) {
        assert_eq!(outcome, &(401, code.to_owned()), "{token:.400}");
    }
}

fn hmac_sign(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec()
}

fn jws(header: &str, payload: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", BASE64.encode(header), BASE64.encode(payload));
    format!("{message}.{}", BASE64.encode(sign(message.as_bytes())))
}

fn hs256(payload: &str) -> String {
    jws(r#"{"alg":"HS256"}"#, payload, |message| hmac_sign(SECRET.as_bytes(), message))
}

#[tokio::test]
async fn token_with_a_flipped_bit_is_rejected() {
    let claims = json!({ "sub": "ada", "exp": 9_999_999_999_u64 });
    for (format, token) in [
        (TokenFormat::Encrypted, mint(&claims, SECRET, COOKIE)),
        (TokenFormat::EncryptedV4, mint_v4(&claims, SECRET)),
        (TokenFormat::Hs256, hs256(&claims.to_string())),
    ] {
        let app = app(format, &[SECRET]).await;
        let mut changed = Vec::new();
        // Flipped bits of the text: percent-encoded, and unencoded where a header may contain the byte.
        for at in 0..token.len() {
            for bit in 0..8 {
                let byte = token.as_bytes()[at] ^ 1 << bit;
                let with = |text: &str| cookie(&format!("{}{text}{}", &token[..at], &token[at + 1..]));
                changed.push(with(&format!("%{byte:02x}")));
                if byte.is_ascii_graphic() {
                    changed.push(with(&char::from(byte).to_string()));
                    changed.push(with(&char::from(byte).to_string()).replacen(
                        &format!("Cookie: {COOKIE}="),
                        "Authorization: Bearer ",
                        1,
                    ));
                }
            }
        }
        // Flipped bits of the decoded parts.
        let parts: Vec<&str> = token.split('.').collect();
        let mut bits = 0;
        for (n, part) in parts.iter().enumerate() {
            let bytes = BASE64.decode(part).unwrap();
            for at in 0..bytes.len() * 8 {
                let mut bytes = bytes.clone();
                bytes[at / 8] ^= 1 << (at % 8);
                let mut parts: Vec<String> = parts.iter().map(|&part| part.to_owned()).collect();
                parts[n] = BASE64.encode(bytes);
                changed.push(cookie(&parts.join(".")));
                bits += 1;
            }
        }
        assert!(bits > 600 && changed.len() > 2_500, "{bits} bits, {} tokens", changed.len());
        for (outcome, header) in outcomes(&app, &changed).await.iter().zip(&changed) {
            assert_eq!(outcome.0, 401, "{format:?} {header}: {outcome:?}");
            assert!(
                outcome.1.starts_with("token_") || outcome.1 == "bearer_malformed",
                "{header}: {outcome:?}"
            );
        }
        assert_eq!(outcome(&app, &token).await, (200, "ada".to_owned()), "{format:?}");
    }
}

#[tokio::test]
async fn token_with_changed_parts_is_rejected() {
    let claims = json!({ "sub": "ada" });
    for (format, token, iv_length, tag_length) in [
        (TokenFormat::Encrypted, mint(&claims, SECRET, COOKIE), 16, 32),
        (TokenFormat::EncryptedV4, mint_v4(&claims, SECRET), 12, 16),
    ] {
        let app = app(format, &[SECRET]).await;
        let parts: Vec<&str> = token.split('.').collect();
        let with = |at: usize, part: &str| {
            let mut parts = parts.clone();
            parts[at] = part;
            parts.join(".")
        };
        let mut malformed = Vec::new();
        for (at, right) in [(2, iv_length), (4, tag_length)] {
            let bytes = BASE64.decode(parts[at]).unwrap();
            assert_eq!(bytes.len(), right);
            for length in (0..=2 * right + 1).filter(|length| *length != right) {
                // The part cut or extended, with its own bytes and with zeros.
                let repeated: Vec<u8> = bytes.iter().cycle().take(length).copied().collect();
                let mut zeros = bytes.clone();
                zeros.resize(length, 0);
                malformed.extend([with(at, &BASE64.encode(repeated)), with(at, &BASE64.encode(zeros))]);
            }
        }
        // With `dir` there is no encrypted key (RFC 7518, section 4.5).
        for key in ["A", "AA", parts[2], parts[4], "="] {
            malformed.push(with(1, key));
        }
        for n in 1..5 {
            malformed.push(parts[..n].join("."));
            malformed.push(parts[n..].join("."));
        }
        malformed.extend([
            format!("{token}."),
            format!(".{token}"),
            format!("{token}.{}", parts[4]),
            format!("{token}.{token}"),
            token.replace('.', ""),
            token.replace('.', ".."),
            token.replace("..", "."),
            token.replace('.', "%2e%2e"),
            format!("\"{token}\""),
            format!("'{token}'"),
            format!("{token}="),
            format!("{token}%00"),
            format!("{token}%0a"),
            format!("%20{token}"),
            format!("{token},{token}"),
            with(0, ""),
            with(0, &parts[0].to_lowercase()),
            with(0, &STANDARD.encode(BASE64.decode(parts[0]).unwrap()).replace('=', "%3d"))
                .replacen("..", ".=.", 1),
        ]);
        assert_rejected(&app, &malformed, "token_malformed").await;
        // A cut or extended ciphertext is well formed, but its tag is wrong.
        let body = BASE64.decode(parts[3]).unwrap();
        let cut = (0..body.len()).map(|length| with(3, &BASE64.encode(&body[..length])));
        let longer =
            [1, 15, 16, 17, 4096].map(|more| with(3, &BASE64.encode([&body[..], &vec![0; more]].concat())));
        assert_rejected(&app, &cut.chain(longer).collect::<Vec<_>>(), "token_tampered").await;
        // The percent-encoded token is the same token.
        assert_eq!(outcome(&app, &token.replace('.', "%2e")).await.1, "ada");
    }
}

#[tokio::test]
async fn token_under_another_key_is_rejected() {
    let claims = json!({ "sub": "mallory" });
    let two_secrets = app(TokenFormat::Encrypted, &[SECRET, "the secret before, still good for now"]).await;
    let rotated = app(TokenFormat::Encrypted, &["the secret that came after this one"]).await;
    let v4 = app(TokenFormat::EncryptedV4, &[SECRET]).await;
    for (app, token, code) in [
        (&two_secrets, mint(&claims, "the secret before, still good for now", COOKIE), "mallory"),
        // The salt of the key is the full cookie name, including its prefix.
        (&two_secrets, mint(&claims, SECRET, "__Secure-authjs.session-token"), "token_unknown_key"),
        (&two_secrets, mint(&claims, SECRET, "__Host-authjs.session-token"), "token_unknown_key"),
        (&two_secrets, mint(&claims, SECRET, "_Secure-authjs.session-token"), "token_unknown_key"),
        (&two_secrets, mint(&claims, SECRET, "authjs.session-token.0"), "token_unknown_key"),
        (&two_secrets, mint(&claims, SECRET, "Authjs.session-token"), "token_unknown_key"),
        (&two_secrets, mint(&claims, SECRET, ""), "token_unknown_key"),
        (&two_secrets, mint(&claims, "", COOKIE), "token_unknown_key"),
        (&two_secrets, mint(&claims, &SECRET.to_uppercase(), COOKIE), "token_unknown_key"),
        (&two_secrets, mint_v4(&claims, SECRET), "token_tampered"),
        (&two_secrets, hs256(&claims.to_string()), "token_malformed"),
        (&rotated, mint(&claims, SECRET, COOKIE), "token_unknown_key"),
        (&v4, mint(&claims, SECRET, COOKIE), "token_unsupported"),
        (&v4, mint_v4(&claims, "another secret"), "token_tampered"),
        (&v4, mint_v4(&claims, SECRET), "mallory"),
    ] {
        assert_eq!(outcome(app, &token).await.1, code, "{token}");
    }
}

/// `exp`, `nbf` and `iat` must be JSON numbers and occur once (RFC 7519, sections 2 and 4).
#[tokio::test]
async fn malformed_token_times_are_rejected() {
    let app = app(TokenFormat::Hs256, &[SECRET]).await;
    let with = |members: &str| hs256(&format!(r#"{{"sub":"ada",{members}}}"#));
    let (mut malformed, mut expired, mut early, mut good) = (vec![], vec![], vec![], vec![]);
    for name in ["exp", "nbf", "iat"] {
        for value in [
            r#""9999999999""#,
            r#""""#,
            "null",
            "true",
            "false",
            "[]",
            "[9999999999]",
            "{}",
            r#"{"exp":9999999999}"#,
            "1e999",
            "-1e999",
            "NaN",
            "Infinity",
            "0x7fffffff",
            "+1",
            "01",
            "1_000",
            "9999999999n",
            "1.",
            ".5",
        ] {
            malformed.push(with(&format!(r#""{name}":{value}"#)));
        }
        malformed.push(with(&format!(r#""{name}":9999999999,"{name}":9999999999"#)));
        malformed.push(with(&format!(
            r#""{name}":1,"\u00{:02x}{}":9999999999"#,
            name.as_bytes()[0],
            &name[1..]
        )));
    }
    for value in ["0", "-0", "-1", "1", "1.5", "1e3", "-9223372036854775808", "-1e308", "1e-400", "1.7e9"] {
        expired.push(with(&format!(r#""exp":{value}"#)));
    }
    for value in ["9999999999", "1e300", "9223372036854775807", "18446744073709551616"] {
        early.push(with(&format!(r#""nbf":{value}"#)));
        good.push(with(&format!(r#""exp":{value}"#)));
    }
    // Other claim names have no effect.
    for members in [r#""EXP":1"#, r#""exp ":1"#, r#""x":{"exp":1}"#, r#""iat":9999999999"#, r#""nbf":-1"#] {
        good.push(with(members));
    }
    assert_rejected(&app, &malformed, "token_malformed").await;
    assert_rejected(&app, &expired, "token_expired").await;
    assert_rejected(&app, &early, "token_not_yet_valid").await;
    for token in good {
        assert_eq!(outcome(&app, &token).await.1, "ada", "{token}");
    }
    // A payload must be exactly one JSON object.
    let payloads = [
        "",
        "null",
        "[]",
        "\"ada\"",
        "1",
        "{",
        "{}{}",
        "{\"sub\":\"ada\"}\0",
        "\u{feff}{}",
        "{\"sub\":\"a\nb\"}",
    ];
    assert_rejected(&app, &payloads.map(hs256), "token_malformed").await;
}
