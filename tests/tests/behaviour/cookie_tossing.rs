//! Cookie tossing: an attacker sets cookies beside the visitor's own, from another host of the domain, over http, or by a
//! script. The choice between them is fixed, and two tokens are never mixed.

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
async fn who(app: &App, cookie: &str) -> String {
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

fn token(who: &str, name: &str, secret: &str) -> String {
    mint(&json!({ "sub": who, "name": who, "padding": "x".repeat(40) }), secret, name)
}

/// An app that asks the upstream, and one that decodes.
async fn both(upstream: &FakeUpstream, options: impl Fn(Builder<Auth>) -> Builder<Auth>) -> [App; 2] {
    let asking = options(Auth::builder().upstream_base_url(upstream.url()));
    let decoding = options(Auth::builder().upstream_base_url(upstream.url()))
        .upstream_secret([upstream.secret()])
        .session_source(SessionSource::Local);
    [app_of(asking).await.0, app_of(decoding).await.0]
}

/// The expected results of an app that asks and of one that decodes, whose error codes differ.
fn refused(expected: &'static str) -> [&'static str; 2] {
    match expected {
        // A value without the form of a token is rejected without a lookup.
        "token_malformed" => [expected; 2],
        _ if expected.starts_with("token_") => ["session_refused", expected],
        _ => [expected; 2],
    }
}

/// The first cookie of a name counts, as in Auth.js: browsers send the longer path first, then the older cookie (RFC 6265,
/// section 5.4). A later valid cookie does not replace an invalid first one.
#[tokio::test]
async fn first_cookie_of_a_name_counts() {
    let upstream = users(FakeUpstream::builder()).start().await.unwrap();
    let apps = both(&upstream, |builder| builder).await;
    let (ada, mallory) =
        (token("Ada", COOKIE, upstream.secret()), token("Mallory", COOKIE, upstream.secret()));
    for (cookie, expected) in [
        (format!("{COOKIE}={ada}; {COOKIE}={mallory}"), "Ada"),
        (format!("{COOKIE}={mallory}; {COOKIE}={ada}"), "Mallory"),
        (format!("{COOKIE}={ada}\r\nCookie: {COOKIE}={mallory}"), "Ada"),
        (format!("{COOKIE}={ada}; {COOKIE}=garbage"), "Ada"),
        (format!("{COOKIE}=garbage; {COOKIE}={ada}"), "token_malformed"),
        // An empty first cookie counts as absent, and the second one is still ignored.
        (format!("{COOKIE}=; {COOKIE}={ada}"), "session_absent"),
        // Without an equals sign it is not a cookie of this name.
        (format!("{COOKIE}; {COOKIE}={ada}"), "Ada"),
        // Names are case-sensitive and compared as a whole.
        (format!("{COOKIE}x={mallory}; x{COOKIE}={mallory}; {COOKIE}={ada}"), "Ada"),
        (format!("{}={mallory}; {COOKIE}={ada}", COOKIE.to_uppercase()), "Ada"),
        (format!("{}={mallory}", COOKIE.to_uppercase()), "session_absent"),
        // Quotes have no meaning: a semicolon inside of them still ends a cookie.
        (format!("a=\"; {COOKIE}={ada}; b=\""), "Ada"),
        (format!("a=\"x; {COOKIE}={mallory}\"; {COOKIE}={ada}"), "token_malformed"),
        (format!("{COOKIE}=\"{ada}\""), "token_malformed"),
        (format!("{COOKIE}='{ada}'"), "token_malformed"),
        // A name inside a value does not count.
        (format!("a={COOKIE}={mallory}; {COOKIE}={ada}"), "Ada"),
        (format!("a,{COOKIE}={mallory}"), "session_absent"),
        (format!("$Version=1, {COOKIE}={mallory}"), "session_absent"),
        // Nameless cookies, which some browsers send without the equals sign.
        (format!("={COOKIE}={mallory}"), "session_absent"),
        (format!("=={COOKIE}={mallory}; {COOKIE}={ada}"), "Ada"),
    ] {
        for (app, expected) in apps.iter().zip(refused(expected)) {
            assert_eq!(who(app, &cookie).await, expected, "{cookie}");
        }
    }
}

/// Chunks of one token beside a whole token or chunks of another one.
#[tokio::test]
async fn chunks_of_two_tokens_are_never_joined() {
    let upstream = users(FakeUpstream::builder()).start().await.unwrap();
    let apps = both(&upstream, |builder| builder).await;
    let ada = token("Ada", COOKIE, upstream.secret());
    // IVs are random. One in 64 begins with the same character, and then the first cuts would be equal.
    let mallory = std::iter::repeat_with(|| token("Mallory", COOKIE, upstream.secret()))
        .find(|token| token[..177] != ada[..177])
        .expect("a token with another first IV character");
    let cut = |token: &str, at: usize| (token[..at].to_owned(), token[at..].to_owned());
    // Cuts after the header, which is the same in every token under one key.
    for at in [177, 178, 198, 199, 200, 300, ada.len() - 44, ada.len() - 43, ada.len() - 1] {
        let ((a0, a1), (m0, m1)) = (cut(&ada, at), cut(&mallory, at));
        for (cookie, expected) in [
            (format!("{COOKIE}.0={a0}; {COOKIE}.1={a1}"), &["Ada"][..]),
            (format!("{COOKIE}.1={a1}; {COOKIE}.0={a0}"), &["Ada"]),
            // The first chunk of each number counts; a mix of two tokens is invalid.
            (format!("{COOKIE}.0={a0}; {COOKIE}.1={m1}; {COOKIE}.1={a1}"), &[]),
            (format!("{COOKIE}.0={m0}; {COOKIE}.0={a0}; {COOKIE}.1={a1}"), &[]),
            (format!("{COOKIE}.0={a0}; {COOKIE}.1={a1}; {COOKIE}.0={m0}; {COOKIE}.1={m1}"), &["Ada"]),
            // Two complete tokens: the plain cookie counts. If it is malformed, the chunks count.
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
                let found = who(app, &cookie).await;
                let is_code = found.starts_with("token_") || found.starts_with("session_");
                let as_expected = if expected.is_empty() { is_code } else { expected == [found.as_str()] };
                assert!(as_expected, "{cookie}: {found}, cut at {at}");
            }
        }
    }
}

/// `Cookie` headers beyond the limit are not parsed; the request is rejected with a code.
#[tokio::test]
async fn oversized_cookies_are_rejected() {
    let upstream = users(FakeUpstream::builder()).start().await.unwrap();
    let apps = both(&upstream, |builder| builder).await;
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
            assert_eq!(who(app, &cookie).await, "token_too_large");
        }
    }
    // Within the limit, thousands of other cookies change nothing.
    let others: String = (0..2000).map(|n| format!("{COOKIE}{n}=x; ")).collect();
    for app in &apps {
        assert_eq!(who(app, &format!("{others}{COOKIE}={ada}")).await, "Ada");
    }
}

/// On https only the prefixed name counts, since browsers accept it only from this host over https. A similar name is
/// another cookie.
#[tokio::test]
async fn similar_names_do_not_count_as_the_prefixed_cookie() {
    let upstream = users(FakeUpstream::builder().cookie_name(HTTPS)).start().await.unwrap();
    let apps =
        both(&upstream, |builder| builder.upstream_kind(UpstreamKind::Authjs).public_url("https://app.test"))
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
            assert_eq!(who(app, &format!("{name}={mallory}")).await, "session_absent", "{name}");
            assert_eq!(who(app, &format!("{name}={mallory}; {HTTPS}={ada}")).await, "Ada", "{name}");
        }
    }
}

/// On http browsers reject `__Secure-`, so the cookie has one underscore less. Only that name counts, in this app and at the
/// upstream.
#[tokio::test]
async fn only_the_name_with_one_underscore_counts_on_http() {
    let upstream = users(FakeUpstream::builder().cookie_name(HTTPS)).start().await.unwrap();
    let apps =
        both(&upstream, |builder| builder.upstream_cookie_name(HTTPS).public_url("http://app.internal"))
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
            assert_eq!(who(app, &cookie).await, expected, "{cookie}");
            // The forwarded request has the same result.
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

/// The upstream judges its other cookies by their names, so their names must be forwarded unchanged.
#[tokio::test]
async fn csrf_cookies_keep_their_names() {
    let tossed = "authjs.csrf-token=evil%7Cevil; _Host-authjs.csrf-token=evil%7Cevil; __Host-authjs.csrf-token=own%7Cown";
    for (public, up) in [
        ("https://app.test", tossed.to_owned()),
        // On http only cookies that were set through this app get the protected name.
        (
            "http://app.internal",
            "authjs.csrf-token=evil%7Cevil; __Host-authjs.csrf-token=evil%7Cevil".to_owned(),
        ),
    ] {
        let upstream = Recorder::start().await;
        let builder = Auth::builder().upstream_base_url(upstream.url.clone()).public_url(public);
        let (app, _browser) = app_of(builder).await;
        let request = format!(
            "POST /api/auth/signout HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: {tossed}\r\nContent-Length: 0\r\n\r\n"
        );
        assert_eq!(exchange(app.addr, request.as_bytes()).await[0].status(), 200);
        let seen = upstream.take();
        assert_eq!(seen.requests[0].all("cookie"), [up], "{public}");
    }
}

/// A tossed CSRF cookie is invalid, since it is signed with the secret and must match the form.
#[tokio::test]
async fn foreign_csrf_tokens_do_not_sign_in() {
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
