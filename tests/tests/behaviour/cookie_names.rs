//! The accepted names of the session cookie: without `kind`, and depending on the scheme of the request.

use auth_proxy::options::{Builder, SessionSource, UpstreamKind};
use auth_proxy::testing::{FakeUpstream, mint};
use auth_proxy_tests::{App, Browser};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, COOKIE};
use serde_json::json;

use crate::support::{Auth, app_of, users};

const SECURE: &str = "__Secure-authjs.session-token";
const PLAIN: &str = "authjs.session-token";
const HTTPS: (&str, &str) = ("x-forwarded-proto", "https");
const HTTP: (&str, &str) = ("x-forwarded-proto", "http");

fn token(user: &str, name: &str, upstream: &FakeUpstream) -> String {
    mint(&json!({ "sub": user, "name": user }), upstream.secret(), name)
}

/// The user name of the session for these cookies, or the error code.
async fn user_or_code(browser: &Browser, cookies: &str, headers: &[(&str, &str)]) -> String {
    let headers: Vec<_> = headers.iter().copied().chain([("cookie", cookies)]).collect();
    let answer = browser.get_with("/session", &headers).await;
    answer.json()["user"]["name"].as_str().map_or_else(|| answer.code(), str::to_owned)
}

/// An app that looks sessions up at the upstream, and an app that decodes tokens itself.
async fn remote_and_local_apps(
    upstream: &FakeUpstream,
    options: impl Fn(Builder<Auth>) -> Builder<Auth>,
) -> [(App, Browser); 2] {
    let remote = options(Auth::builder().upstream_base_url(upstream.url()));
    let local =
        options(Auth::builder().upstream_base_url(upstream.url()).upstream_secret([upstream.secret()]));
    [app_of(remote).await, app_of(local.session_source(SessionSource::Local)).await]
}

/// Over https, Auth.js uses the prefix `__Secure-` and Robo does not. Without `kind`, the proxy accepts both names.
#[tokio::test]
async fn both_cookie_names_are_accepted_over_https_without_kind() {
    for name in [SECURE, PLAIN] {
        let upstream = users(FakeUpstream::builder().cookie_name(name)).start().await.unwrap();
        for (_app, browser) in
            remote_and_local_apps(&upstream, |builder| builder.public_url("https://app.test")).await
        {
            let cookie = format!("{name}={}", token("Ada", name, &upstream));
            assert_eq!(user_or_code(&browser, &cookie, &[]).await, "Ada", "{name}");
            // A Bearer token has no cookie name, so the keys of both names are tried.
            let bearer = format!("Bearer {}", token("Ada", name, &upstream));
            let answer = browser.get_with("/session", &[("authorization", &bearer)]).await;
            assert_eq!(answer.json()["user"]["name"], "Ada", "{name}: {answer:?}");
        }
    }
}

/// The cookie name is the salt of the encryption key, so a token for one name is invalid under the other name.
#[tokio::test]
async fn token_key_depends_on_the_cookie_name() {
    let upstream = users(FakeUpstream::builder().cookie_name(PLAIN)).start().await.unwrap();
    let auth = Auth::builder().upstream_base_url(upstream.url()).upstream_secret([upstream.secret()]);
    let (_app, browser) = app_of(auth.session_source(SessionSource::Local)).await;
    let cookie = format!("{PLAIN}={}", token("Ada", SECURE, &upstream));
    assert_eq!(user_or_code(&browser, &cookie, &[]).await, "token_unknown_key");
    // The cache of verified tokens keeps the two names apart too.
    let good = format!("{SECURE}={}", token("Ada", SECURE, &upstream));
    assert_eq!(user_or_code(&browser, &good, &[]).await, "Ada");
    assert_eq!(user_or_code(&browser, &cookie, &[]).await, "token_unknown_key");
}

/// Another host of the domain can set a cookie with the plain name. The proxy ignores that cookie after the upstream
/// has set a cookie with the prefixed name.
#[tokio::test]
async fn plain_cookie_name_is_ignored_after_the_upstream_set_the_prefixed_one() {
    let upstream = users(FakeUpstream::builder().cookie_name(SECURE)).start().await.unwrap();
    let (_app, browser) =
        app_of(Auth::builder().upstream_base_url(upstream.url()).upstream_secret([upstream.secret()])).await;
    let plain_cookie = format!("{PLAIN}={}", token("Mallory", PLAIN, &upstream));
    let prefixed_cookie = format!("{SECURE}={}", token("Ada", SECURE, &upstream));
    let token_of = async |cookies: &str| browser.get_with("/token", &[("cookie", cookies)]).await;
    // At first both names are accepted. The prefixed name has precedence.
    assert_eq!(token_of(&format!("{plain_cookie}; {prefixed_cookie}")).await.json()["name"], "Ada");
    assert_eq!(token_of(&plain_cookie).await.json()["name"], "Mallory");
    // The response to this lookup sets the prefixed cookie.
    assert_eq!(user_or_code(&browser, &prefixed_cookie, &[]).await, "Ada");
    assert_eq!(token_of(&plain_cookie).await.code(), "session_absent");
    assert_eq!(token_of(&prefixed_cookie).await.json()["name"], "Ada");
}

/// `X-Forwarded-Proto` of a trusted proxy selects the cookie name, like the scheme of `public_url`.
#[tokio::test]
async fn scheme_from_a_trusted_proxy_selects_the_cookie_name() {
    let upstream = users(FakeUpstream::builder().cookie_name(SECURE)).start().await.unwrap();
    let auth = Auth::builder()
        .upstream_base_url(upstream.url())
        .upstream_kind(UpstreamKind::Authjs)
        .trusted_proxies(["127.0.0.1"]);
    let (_app, browser) =
        app_of(auth.upstream_secret([upstream.secret()]).session_source(SessionSource::Local)).await;
    let secure = format!("{SECURE}={}", token("Ada", SECURE, &upstream));
    let plain = format!("{PLAIN}={}", token("Bob", PLAIN, &upstream));
    for (cookie, scheme, expected) in [
        (&secure, HTTPS, "Ada"),
        (&plain, HTTPS, "session_absent"),
        (&plain, HTTP, "Bob"),
        (&secure, HTTP, "session_absent"),
    ] {
        assert_eq!(user_or_code(&browser, cookie, &[scheme]).await, expected, "{cookie:.30} {scheme:?}");
    }
    assert_eq!(user_or_code(&browser, &format!("{plain}; {secure}"), &[HTTPS]).await, "Ada");
    assert_eq!(user_or_code(&browser, &format!("{plain}; {secure}"), &[HTTP]).await, "Bob");
}

/// `auth.session(&headers)` does not know the scheme, so it refuses two tokens. Basic authentication is no second
/// token.
#[tokio::test]
async fn basic_authentication_beside_a_cookie_is_not_ambiguous() {
    let upstream = users(FakeUpstream::builder()).start().await.unwrap();
    let auth = Auth::builder().upstream_base_url(upstream.url()).trusted_proxies(["127.0.0.1"]);
    let auth = auth.build().unwrap();
    let cookie = format!("{PLAIN}={}", token("Ada", PLAIN, &upstream));
    for (authorization, expected) in
        [("Basic YTpi", None), ("Bearer aaaa..bbbb.cccc.dddd", Some("token_ambiguous"))]
    {
        let headers: HeaderMap = [(COOKIE, &*cookie), (AUTHORIZATION, authorization)]
            .map(|(name, value)| (name, value.parse().unwrap()))
            .into_iter()
            .collect();
        let code = auth.session(&headers).await.err().map(|error| error.code());
        assert_eq!(code, expected, "{authorization}");
    }
}

/// An absolute request target or `X-Forwarded-Proto` of an untrusted client must not change the scheme.
#[tokio::test]
async fn scheme_from_an_untrusted_client_is_ignored() {
    let upstream = users(FakeUpstream::builder()).start().await.unwrap();
    let (app, _browser) =
        app_of(Auth::builder().upstream_base_url(upstream.url()).trusted_proxies(["10.0.0.7"])).await;
    let target = format!("https://{}/session/optional", app.addr);
    let cookie = format!("Cookie: {PLAIN}={}\r\n", token("Ada", PLAIN, &upstream));
    let head = format!("X-Forwarded-Proto: https\r\n{cookie}");
    assert!(app.raw_get(&target, &head).await.1.contains("Ada"));
    assert_eq!(upstream.seen().last().unwrap().headers["x-forwarded-proto"], "http");
}
