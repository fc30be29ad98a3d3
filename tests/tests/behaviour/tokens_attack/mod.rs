//! Tokens that were taken apart, put together, signed by somebody else or asked to be read another way. Over
//! real sockets, in front of an app that decodes tokens itself: what is no good is 401, and asks nobody.

mod algorithms;

use auth_proxy::testing::{mint, mint_v4};
use auth_proxy::{Expected, TokenFormat};
use auth_proxy_tests::App;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};

use crate::support::{Auth, app_of};
use crate::wire::exchange;

const SECRET: &str = "a secret that is long enough for a test";
const COOKIE: &str = "authjs.session-token";

/// An app that decodes tokens of a format, and whose upstream nobody could ask.
async fn app(format: TokenFormat, secrets: &[&str]) -> App {
    let builder = Auth::builder().upstream_base_url("http://127.0.0.1:9").upstream_token(format);
    let builder = builder.upstream_audience(Expected::Any).upstream_issuer(Expected::Any);
    app_of(builder.upstream_secret(secrets.iter().copied())).await.0
}

/// What becomes of each of these headers, on as few connections as need be: a status, and the code or the
/// subject.
async fn outcomes(app: &App, headers: &[String]) -> Vec<(u16, String)> {
    let mut outcomes = Vec::new();
    for some in headers.chunks(64) {
        let mut requests = String::new();
        for (n, header) in some.iter().enumerate() {
            let connection = if n + 1 == some.len() { "close" } else { "keep-alive" };
            requests.push_str(&format!(
                "GET /token HTTP/1.1\r\nHost: localhost\r\nConnection: {connection}\r\n{header}\r\n\r\n"
            ));
        }
        let answers = exchange(app.addr, requests.as_bytes()).await;
        assert_eq!(answers.len(), some.len(), "of {:?}", some[answers.len().min(some.len() - 1)]);
        outcomes.extend(answers.iter().map(|answer| {
            let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
            let said = body.get("code").or(body.get("sub")).and_then(Value::as_str);
            (answer.status(), said.unwrap_or(&answer.body).to_owned())
        }));
    }
    outcomes
}

fn cookie(token: &str) -> String {
    format!("Cookie: {COOKIE}={token}")
}

/// What one token is: a status, and the code or the subject.
async fn outcome(app: &App, token: &str) -> (u16, String) {
    outcomes(app, &[cookie(token)]).await.remove(0)
}

async fn is_refused(app: &App, tokens: &[String], code: &str) {
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
async fn every_bit_of_a_genuine_token() {
    let claims = json!({ "sub": "ada", "exp": 9_999_999_999_u64 });
    for (format, token) in [
        (TokenFormat::Encrypted, mint(&claims, SECRET, COOKIE)),
        (TokenFormat::EncryptedV4, mint_v4(&claims, SECRET)),
        (TokenFormat::Hs256, hs256(&claims.to_string())),
    ] {
        let app = app(format, &[SECRET]).await;
        let mut changed = Vec::new();
        // Bits of what is sent, as they are where a header may hold them, and percent-encoded.
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
        // Bits of what it means.
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
async fn parts_that_are_missing_or_too_many_cut_or_longer() {
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
                // Cut, or with more behind: of itself, and of nothing.
                let again: Vec<u8> = bytes.iter().cycle().take(length).copied().collect();
                let mut zeros = bytes.clone();
                zeros.resize(length, 0);
                malformed.extend([with(at, &BASE64.encode(again)), with(at, &BASE64.encode(zeros))]);
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
        is_refused(&app, &malformed, "token_malformed").await;
        // A body that is cut or longer is well formed, and another one.
        let body = BASE64.decode(parts[3]).unwrap();
        let cut = (0..body.len()).map(|length| with(3, &BASE64.encode(&body[..length])));
        let longer =
            [1, 15, 16, 17, 4096].map(|more| with(3, &BASE64.encode([&body[..], &vec![0; more]].concat())));
        is_refused(&app, &cut.chain(longer).collect::<Vec<_>>(), "token_tampered").await;
        // Percent-encoded, it is the token all the same.
        assert_eq!(outcome(&app, &token.replace('.', "%2e")).await.1, "ada");
    }
}

#[tokio::test]
async fn keys_of_another_name_secret_or_format() {
    let claims = json!({ "sub": "mallory" });
    let app_of_both = app(TokenFormat::Encrypted, &[SECRET, "the secret before, still good for now"]).await;
    let rotated = app(TokenFormat::Encrypted, &["the secret that came after this one"]).await;
    let v4 = app(TokenFormat::EncryptedV4, &[SECRET]).await;
    for (app, token, code) in [
        (&app_of_both, mint(&claims, "the secret before, still good for now", COOKIE), "mallory"),
        // The salt of the key is the name of the cookie, prefix included.
        (&app_of_both, mint(&claims, SECRET, "__Secure-authjs.session-token"), "token_unknown_key"),
        (&app_of_both, mint(&claims, SECRET, "__Host-authjs.session-token"), "token_unknown_key"),
        (&app_of_both, mint(&claims, SECRET, "_Secure-authjs.session-token"), "token_unknown_key"),
        (&app_of_both, mint(&claims, SECRET, "authjs.session-token.0"), "token_unknown_key"),
        (&app_of_both, mint(&claims, SECRET, "Authjs.session-token"), "token_unknown_key"),
        (&app_of_both, mint(&claims, SECRET, ""), "token_unknown_key"),
        (&app_of_both, mint(&claims, "", COOKIE), "token_unknown_key"),
        (&app_of_both, mint(&claims, &SECRET.to_uppercase(), COOKIE), "token_unknown_key"),
        (&app_of_both, mint_v4(&claims, SECRET), "token_tampered"),
        (&app_of_both, hs256(&claims.to_string()), "token_malformed"),
        (&rotated, mint(&claims, SECRET, COOKIE), "token_unknown_key"),
        (&v4, mint(&claims, SECRET, COOKIE), "token_unsupported"),
        (&v4, mint_v4(&claims, "another secret"), "token_tampered"),
        (&v4, mint_v4(&claims, SECRET), "mallory"),
    ] {
        assert_eq!(outcome(app, &token).await.1, code, "{token}");
    }
}

/// When a token is good is told by numbers, which are there once (RFC 7519, section 2).
#[tokio::test]
async fn times_that_are_no_times() {
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
    // Other names say nothing.
    for members in [r#""EXP":1"#, r#""exp ":1"#, r#""x":{"exp":1}"#, r#""iat":9999999999"#, r#""nbf":-1"#] {
        good.push(with(members));
    }
    is_refused(&app, &malformed, "token_malformed").await;
    is_refused(&app, &expired, "token_expired").await;
    is_refused(&app, &early, "token_not_yet_valid").await;
    for token in good {
        assert_eq!(outcome(&app, &token).await.1, "ada", "{token}");
    }
    // A payload is the text of one object.
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
    is_refused(&app, &payloads.map(hs256), "token_malformed").await;
}
