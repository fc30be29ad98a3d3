//! Cookie tossing: an attacker adds cookies to those of the visitor, from another host of the domain, over http, or by
//! a script. Fixed rules select the session cookie, and parts of two tokens are never joined.

use auth_proxy::options::{Builder, SessionSource, UpstreamKind};
use auth_proxy::testing::{FakeUpstream, mint};
use auth_proxy_tests::App;
use serde_json::json;

use crate::http1::{Recorder, exchange};
use crate::support::{Auth, app_of, users};

const COOKIE: &str = "authjs.session-token";
const HTTPS: &str = "__Secure-authjs.session-token";
const HTTP: &str = "_Secure-authjs.session-token";

/// The user name or the error code for this `Cookie` header.
async fn user_or_code(app: &App, cookie: &str) -> String {
    let request =
        format!("GET /session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: {cookie}\r\n\r\n");
    let answers = exchange(app.addr, request.as_bytes()).await;
    let [answer] = answers.as_slice() else { panic!("{answers:?}") };
    let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    match answer.status() {
        200 => body["user"]["name"].as_str().unwrap().to_owned(),
        401 => body["code"].as_str().unwrap().to_owned(),
        _ => panic!("{cookie:.200}: {answer:?}"),
    }
}

fn token(user: &str, name: &str, secret: &str) -> String {
    mint(&json!({ "sub": user, "name": user, "padding": "x".repeat(40) }), secret, name)
}

/// An app that looks sessions up at the upstream, and an app that decodes tokens itself.
async fn remote_and_local_apps(
    upstream: &FakeUpstream,
    options: impl Fn(Builder<Auth>) -> Builder<Auth>,
) -> [App; 2] {
    let remote = options(Auth::builder().upstream_base_url(upstream.url()));
    let local = options(Auth::builder().upstream_base_url(upstream.url()))
        .upstream_secret([upstream.secret()])
        .session_source(SessionSource::Local);
    [app_of(remote).await.0, app_of(local).await.0]
}

/// The expected result of each of the two apps, whose error codes differ.
fn expected_per_app(expected: &'static str) -> [&'static str; 2] {
    match expected {
        // A malformed token is rejected without a lookup.
        "token_malformed" => [expected; 2],
        _ if expected.starts_with("token_") => ["session_refused", expected],
        _ => [expected; 2],
    }
}

/// Of several cookies with one name, the first is used, as in Auth.js. Browsers send longer paths first, then older
/// cookies (RFC 6265, section 5.4). A later valid cookie does not replace an invalid first cookie.
#[tokio::test]
async fn first_cookie_of_a_name_is_used() {
    let upstream = users(FakeUpstream::builder()).start().await.unwrap();
    let apps = remote_and_local_apps(&upstream, |builder| builder).await;
    let (ada, mallory) =
        (token("Ada", COOKIE, upstream.secret()), token("Mallory", COOKIE, upstream.secret()));
    for (cookie, expected) in [
        (format!("{COOKIE}={ada}; {COOKIE}={mallory}"), "Ada"),
        (format!("{COOKIE}={mallory}; {COOKIE}={ada}"), "Mallory"),
        (format!("{COOKIE}={ada}\r\nCookie: {COOKIE}={mallory}"), "Ada"),
        (format!("{COOKIE}={ada}; {COOKIE}=garbage"), "Ada"),
        (format!("{COOKIE}=garbage; {COOKIE}={ada}"), "token_malformed"),
        // An empty first cookie means no session. The second cookie is still ignored.
        (format!("{COOKIE}=; {COOKIE}={ada}"), "session_absent"),
        // Text without an equals sign is not a cookie of this name.
        (format!("{COOKIE}; {COOKIE}={ada}"), "Ada"),
        // Names are case-sensitive and compared as a whole.
        (format!("{COOKIE}x={mallory}; x{COOKIE}={mallory}; {COOKIE}={ada}"), "Ada"),
        (format!("{}={mallory}; {COOKIE}={ada}", COOKIE.to_uppercase()), "Ada"),
        (format!("{}={mallory}", COOKIE.to_uppercase()), "session_absent"),
        // Quotes have no special meaning: a semicolon within quotes ends the cookie.
        (format!("a=\"; {COOKIE}={ada}; b=\""), "Ada"),
        (format!("a=\"x; {COOKIE}={mallory}\"; {COOKIE}={ada}"), "token_malformed"),
        (format!("{COOKIE}=\"{ada}\""), "token_malformed"),
        (format!("{COOKIE}='{ada}'"), "token_malformed"),
        // A cookie name within the value of another cookie is ignored.
        (format!("a={COOKIE}={mallory}; {COOKIE}={ada}"), "Ada"),
        (format!("a,{COOKIE}={mallory}"), "session_absent"),
        (format!("$Version=1, {COOKIE}={mallory}"), "session_absent"),
        // Cookies with an empty name. Some browsers send them without the equals sign.
        (format!("={COOKIE}={mallory}"), "session_absent"),
        (format!("=={COOKIE}={mallory}; {COOKIE}={ada}"), "Ada"),
    ] {
        for (app, expected) in apps.iter().zip(expected_per_app(expected)) {
            assert_eq!(user_or_code(app, &cookie).await, expected, "{cookie}");
        }
    }
}

/// The chunks of one token arrive together with a whole token or with chunks of another token.
#[tokio::test]
async fn chunks_of_two_tokens_are_never_joined() {
    let upstream = users(FakeUpstream::builder()).start().await.unwrap();
    let apps = remote_and_local_apps(&upstream, |builder| builder).await;
    let ada = token("Ada", COOKIE, upstream.secret());
    // One in 64 random IVs begins with the same character. The first chunks of both tokens could then be equal.
    let mallory = std::iter::repeat_with(|| token("Mallory", COOKIE, upstream.secret()))
        .find(|token| token[..177] != ada[..177])
        .expect("an IV with another first character");
    let split = |token: &str, at: usize| (token[..at].to_owned(), token[at..].to_owned());
    // All split positions are after the header, which is equal in all tokens of one key.
    for at in [177, 178, 198, 199, 200, 300, ada.len() - 44, ada.len() - 43, ada.len() - 1] {
        let ((a0, a1), (m0, m1)) = (split(&ada, at), split(&mallory, at));
        for (cookie, expected) in [
            (format!("{COOKIE}.0={a0}; {COOKIE}.1={a1}"), &["Ada"][..]),
            (format!("{COOKIE}.1={a1}; {COOKIE}.0={a0}"), &["Ada"]),
            // Of each chunk number, the first cookie is used. A mix of two tokens is invalid.
            (format!("{COOKIE}.0={a0}; {COOKIE}.1={m1}; {COOKIE}.1={a1}"), &[]),
            (format!("{COOKIE}.0={m0}; {COOKIE}.0={a0}; {COOKIE}.1={a1}"), &[]),
            (format!("{COOKIE}.0={a0}; {COOKIE}.1={a1}; {COOKIE}.0={m0}; {COOKIE}.1={m1}"), &["Ada"]),
            // Two complete tokens: the unchunked cookie is used, or the chunks if it is malformed.
            (format!("{COOKIE}={ada}; {COOKIE}.0={m0}; {COOKIE}.1={m1}"), &["Ada"]),
            (format!("{COOKIE}.0={m0}; {COOKIE}.1={m1}; {COOKIE}={ada}"), &["Ada"]),
            (format!("{COOKIE}={}; {COOKIE}.0={m0}; {COOKIE}.1={m1}", ada.replace('.', "..")), &["Mallory"]),
            (format!("{COOKIE}={ada}; {COOKIE}.0={m0}"), &["Ada"]),
            (format!("{COOKIE}={ada}; {COOKIE}.1={m1}"), &["Ada"]),
            (format!("{COOKIE}={a0}; {COOKIE}.0={a0}; {COOKIE}.1={m1}"), &[]),
            (format!("{COOKIE}={a0}; {COOKIE}.0={a1}"), &[]),
            // Chunk numbers that are not in sequence, or not numbers.
            (format!("{COOKIE}.1={a0}; {COOKIE}.2={a1}"), &[]),
            (format!("{COOKIE}.0={a0}; {COOKIE}.2={a1}"), &[]),
            (format!("{COOKIE}.0={a0}; {COOKIE}.01={m1}; {COOKIE}.1={a1}"), &["Ada"]),
            (
                format!("{COOKIE}.0={a0}; {COOKIE}.-1=x; {COOKIE}.+1={m1}; {COOKIE}.1={a1}; {COOKIE}.1.1=x"),
                &["Ada"],
            ),
            (format!("{COOKIE}.0={a0}; {COOKIE}.1={a1}; {COOKIE}.2=x"), &[]),
            (format!("{COOKIE}.0={a0}; {COOKIE}.1={a1}; {COOKIE}.2="), &["Ada"]),
        ] {
            for app in &apps {
                let found = user_or_code(app, &cookie).await;
                let is_code = found.starts_with("token_") || found.starts_with("session_");
                let as_expected = if expected.is_empty() { is_code } else { expected == [found.as_str()] };
                assert!(as_expected, "{cookie}: {found}, split at {at}");
            }
        }
    }
}

/// `Cookie` headers above the size limit are not parsed. The request is rejected with an error code.
#[tokio::test]
async fn oversized_cookies_are_rejected() {
    let upstream = users(FakeUpstream::builder()).start().await.unwrap();
    let apps = remote_and_local_apps(&upstream, |builder| builder).await;
    let (ada, mallory) =
        (token("Ada", COOKIE, upstream.secret()), token("Mallory", COOKIE, upstream.secret()));
    let padding = format!("a={}", "x".repeat(70_000));
    for cookie in [
        format!("{padding}; {COOKIE}={mallory}"),
        format!("{COOKIE}={ada}; {padding}"),
        format!("{COOKIE}={ada}\r\nCookie: {padding}\r\nCookie: {COOKIE}={mallory}"),
        format!("{padding}\r\nCookie: {COOKIE}={ada}"),
    ] {
        for app in &apps {
            assert_eq!(user_or_code(app, &cookie).await, "token_too_large");
        }
    }
    // Below the limit, thousands of other cookies have no effect.
    let others: String = (0..2000).map(|n| format!("{COOKIE}{n}=x; ")).collect();
    for app in &apps {
        assert_eq!(user_or_code(app, &format!("{others}{COOKIE}={ada}")).await, "Ada");
    }
}

/// Over https the proxy reads only the cookie with the prefix `__Secure-`, which browsers accept only over https.
/// Similar names are other cookies.
#[tokio::test]
async fn cookies_with_similar_names_are_ignored() {
    let upstream = users(FakeUpstream::builder().cookie_name(HTTPS)).start().await.unwrap();
    let apps = remote_and_local_apps(&upstream, |builder| {
        builder.upstream_kind(UpstreamKind::Authjs).public_url("https://app.test")
    })
    .await;
    let (ada, mallory) = (token("Ada", HTTPS, upstream.secret()), token("Mallory", HTTPS, upstream.secret()));
    for name in [
        "__SECURE-authjs.session-token",
        "__secure-authjs.session-token",
        "__Secure-Authjs.session-token",
        "_Secure-authjs.session-token",
        "___Secure-authjs.session-token",
        "__Host-authjs.session-token",
        "_Host-authjs.session-token",
        "__Http-authjs.session-token",
        "__Secure-__Secure-authjs.session-token",
        "authjs.session-token",
        "__Secure-authjs.session-token.x",
        "__Secure-authjs.session%2Dtoken",
        "%5F%5FSecure-authjs.session-token",
        "\"__Secure-authjs.session-token\"",
        "=__Secure-authjs.session-token",
        "==__Secure-authjs.session-token",
        "\u{ff3f}_Secure-authjs.session-token",
    ] {
        for app in &apps {
            assert_eq!(user_or_code(app, &format!("{name}={mallory}")).await, "session_absent", "{name}");
            assert_eq!(user_or_code(app, &format!("{name}={mallory}; {HTTPS}={ada}")).await, "Ada", "{name}");
        }
    }
}

/// Over http, browsers reject the prefix `__Secure-`, so the proxy renames the cookie to `_Secure-..`. It reads only
/// this name, and forwards only this cookie to the upstream.
#[tokio::test]
async fn only_the_single_underscore_cookie_is_read_over_http() {
    let upstream = users(FakeUpstream::builder().cookie_name(HTTPS)).start().await.unwrap();
    let apps = remote_and_local_apps(&upstream, |builder| {
        builder.upstream_cookie_name(HTTPS).public_url("http://app.internal")
    })
    .await;
    let (ada, mallory) = (token("Ada", HTTPS, upstream.secret()), token("Mallory", HTTPS, upstream.secret()));
    for (cookie, expected) in [
        (format!("{HTTP}={ada}"), "Ada"),
        (format!("{HTTPS}={mallory}"), "session_absent"),
        (format!("{HTTPS}={mallory}; {HTTP}={ada}"), "Ada"),
        (format!("{HTTP}={ada}; {HTTPS}={mallory}"), "Ada"),
        (format!("{HTTPS}.0={mallory}; {HTTP}={ada}"), "Ada"),
        (format!("_secure-authjs.session-token={mallory}; {HTTP}={ada}"), "Ada"),
        (format!("Secure-authjs.session-token={mallory}; {HTTP}={ada}"), "Ada"),
        (format!("{COOKIE}={mallory}; {HTTP}={ada}"), "Ada"),
    ] {
        for app in &apps {
            assert_eq!(user_or_code(app, &cookie).await, expected, "{cookie}");
            // The upstream returns the same session for the forwarded request.
            let request = format!(
                "GET /api/auth/session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: {cookie}\r\n\r\n"
            );
            let body = exchange(app.addr, request.as_bytes()).await.remove(0).body;
            let session: serde_json::Value = serde_json::from_str(&body).unwrap();
            let found = session["user"]["name"].as_str().unwrap_or("session_absent");
            assert_eq!(found, expected, "{cookie}: {body}");
        }
    }
}

/// The upstream recognizes its other cookies by name, so they must reach it under the names that it set.
#[tokio::test]
async fn csrf_cookies_reach_the_upstream_under_its_own_names() {
    let tossed = "authjs.csrf-token=evil%7Cevil; _Host-authjs.csrf-token=evil%7Cevil; __Host-authjs.csrf-token=own%7Cown";
    for (public_url, forwarded) in [
        ("https://app.test", tossed.to_owned()),
        // Over http, the app renamed `__Host-` to `_Host-`. The name is restored, and a `__Host-` cookie is dropped.
        (
            "http://app.internal",
            "authjs.csrf-token=evil%7Cevil; __Host-authjs.csrf-token=evil%7Cevil".to_owned(),
        ),
    ] {
        let upstream = Recorder::start().await;
        let builder = Auth::builder().upstream_base_url(upstream.url.clone()).public_url(public_url);
        let (app, _browser) = app_of(builder).await;
        let request = format!(
            "POST /api/auth/signout HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: {tossed}\r\nContent-Length: 0\r\n\r\n"
        );
        assert_eq!(exchange(app.addr, request.as_bytes()).await[0].status(), 200);
        let seen = upstream.take();
        assert_eq!(seen.requests[0].all("cookie"), [forwarded], "{public_url}");
    }
}

/// An attacker cannot forge a CSRF cookie: its hash needs the secret, and its token must be equal to the token of the
/// form.
#[tokio::test]
async fn forged_csrf_cookies_do_not_sign_in() {
    let upstream = users(FakeUpstream::builder()).start().await.unwrap();
    let (app, browser) = app_of(Auth::builder().upstream_base_url(upstream.url())).await;
    let own = browser.csrf().await;
    let hash = "0".repeat(64);
    for cookie in [
        format!("authjs.csrf-token={own}%7C{hash}"),
        format!("authjs.csrf-token={own}"),
        format!("authjs.csrf-token=%7C; authjs.csrf-token={own}%7C{hash}"),
        "authjs.csrf-token=%7C".to_owned(),
        String::new(),
    ] {
        for csrf in [own.as_str(), "", "x"] {
            let form = format!("username=demo&password=demo&csrfToken={csrf}");
            let request = format!(
                "POST /api/auth/callback/credentials HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: {cookie}\r\n\
                Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
                form.len()
            );
            let answers = exchange(app.addr, request.as_bytes()).await;
            let cookies = answers[0].all("set-cookie");
            assert!(!cookies.iter().any(|cookie| cookie.starts_with(COOKIE)), "{cookie} {csrf}: {cookies:?}");
        }
    }
}
