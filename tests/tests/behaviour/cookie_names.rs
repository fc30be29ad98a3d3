//! Which name of the session cookie counts: without `kind`, and where the scheme of the request decides.

use auth_proxy::options::{Builder, SessionSource, UpstreamKind};
use auth_proxy::testing::{FakeUpstream, mint};
use auth_proxy_tests::{App, Browser};
use serde_json::json;

use crate::support::{Auth, app_of, users};

const SECURE: &str = "__Secure-authjs.session-token";
const PLAIN: &str = "authjs.session-token";
const HTTPS: (&str, &str) = ("x-forwarded-proto", "https");
const HTTP: (&str, &str) = ("x-forwarded-proto", "http");

fn token(who: &str, name: &str, upstream: &FakeUpstream) -> String {
    mint(&json!({ "sub": who, "name": who }), upstream.secret(), name)
}

/// The name of the user that these cookies belong to, or the error code.
async fn who(browser: &Browser, cookies: &str, headers: &[(&str, &str)]) -> String {
    let headers: Vec<_> = headers.iter().copied().chain([("cookie", cookies)]).collect();
    let answer = browser.get_with("/session", &headers).await;
    answer.json()["user"]["name"].as_str().map_or_else(|| answer.code(), str::to_owned)
}

/// An app that asks the upstream, and one that decodes tokens.
async fn both(
    upstream: &FakeUpstream,
    options: impl Fn(Builder<Auth>) -> Builder<Auth>,
) -> [(App, Browser); 2] {
    let asking = options(Auth::builder().upstream_base_url(upstream.url()));
    let decoding =
        options(Auth::builder().upstream_base_url(upstream.url()).upstream_secret([upstream.secret()]));
    [app_of(asking).await, app_of(decoding.session_source(SessionSource::Local)).await]
}

/// Over https Auth.js prefixes the cookie name and Robo does not. Without `kind` both names are accepted.
#[tokio::test]
async fn both_cookie_names_are_accepted_over_https_without_kind() {
    for name in [SECURE, PLAIN] {
        let upstream = users(FakeUpstream::builder().cookie_name(name)).start().await.unwrap();
        for (_app, browser) in both(&upstream, |builder| builder.public_url("https://app.test")).await {
            let cookie = format!("{name}={}", token("Ada", name, &upstream));
            assert_eq!(who(&browser, &cookie, &[]).await, "Ada", "{name}");
            // A Bearer token has no cookie name, so both keys are tried.
            let bearer = format!("Bearer {}", token("Ada", name, &upstream));
            let answer = browser.get_with("/session", &[("authorization", &bearer)]).await;
            assert_eq!(answer.json()["user"]["name"], "Ada", "{name}: {answer:?}");
        }
    }
}

/// The cookie name is the salt of the key, so a token made for one name is invalid under the other.
#[tokio::test]
async fn token_key_depends_on_the_cookie_name() {
    let upstream = users(FakeUpstream::builder().cookie_name(PLAIN)).start().await.unwrap();
    let auth = Auth::builder().upstream_base_url(upstream.url()).upstream_secret([upstream.secret()]);
    let (_app, browser) = app_of(auth.session_source(SessionSource::Local)).await;
    let cookie = format!("{PLAIN}={}", token("Ada", SECURE, &upstream));
    assert_eq!(who(&browser, &cookie, &[]).await, "token_unknown_key");
    // The cache of verified tokens does not mix the two names either.
    let good = format!("{SECURE}={}", token("Ada", SECURE, &upstream));
    assert_eq!(who(&browser, &good, &[]).await, "Ada");
    assert_eq!(who(&browser, &cookie, &[]).await, "token_unknown_key");
}

/// Another host of the domain can set a cookie with the plain name. It is ignored once the upstream has used the prefixed
/// name.
#[tokio::test]
async fn plain_name_is_ignored_once_the_upstream_used_the_prefixed_one() {
    let upstream = users(FakeUpstream::builder().cookie_name(SECURE)).start().await.unwrap();
    let (_app, browser) =
        app_of(Auth::builder().upstream_base_url(upstream.url()).upstream_secret([upstream.secret()])).await;
    let tossed = format!("{PLAIN}={}", token("Mallory", PLAIN, &upstream));
    let own = format!("{SECURE}={}", token("Ada", SECURE, &upstream));
    let decoded = async |cookies: &str| browser.get_with("/token", &[("cookie", cookies)]).await;
    // At first both names count, the prefixed one before the plain one.
    assert_eq!(decoded(&format!("{tossed}; {own}")).await.json()["name"], "Ada");
    assert_eq!(decoded(&tossed).await.json()["name"], "Mallory");
    // The response to this lookup sets the prefixed cookie.
    assert_eq!(who(&browser, &own, &[]).await, "Ada");
    assert_eq!(decoded(&tossed).await.code(), "session_absent");
    assert_eq!(decoded(&own).await.json()["name"], "Ada");
}

/// `X-Forwarded-Proto` of a trusted proxy decides, as the scheme of `public_url` does.
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
        assert_eq!(who(&browser, cookie, &[scheme]).await, expected, "{cookie:.30} {scheme:?}");
    }
    assert_eq!(who(&browser, &format!("{plain}; {secure}"), &[HTTPS]).await, "Ada");
    assert_eq!(who(&browser, &format!("{plain}; {secure}"), &[HTTP]).await, "Bob");
}

/// Neither an absolute target nor `X-Forwarded-Proto` of an untrusted client changes the scheme.
#[tokio::test]
async fn scheme_from_a_client_is_ignored() {
    let upstream = users(FakeUpstream::builder()).start().await.unwrap();
    let (app, _browser) =
        app_of(Auth::builder().upstream_base_url(upstream.url()).trusted_proxies(["10.0.0.7"])).await;
    let target = format!("https://{}/session/optional", app.addr);
    let cookie = format!("Cookie: {PLAIN}={}\r\n", token("Ada", PLAIN, &upstream));
    let head = format!("X-Forwarded-Proto: https\r\n{cookie}");
    assert!(app.raw_get(&target, &head).await.1.contains("Ada"));
    assert_eq!(upstream.seen().last().unwrap().headers["x-forwarded-proto"], "http");
}
