//! Which name of the session cookie counts, where the kind of the upstream is not said, and where the scheme decides.

use auth_proxy::testing::{FakeUpstream, mint};
use auth_proxy::{Builder, Kind, Source};
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

/// One that asks the upstream, and one that decodes.
async fn both(
    upstream: &FakeUpstream,
    options: impl Fn(Builder<Auth>) -> Builder<Auth>,
) -> [(App, Browser); 2] {
    let asking = options(Auth::builder().upstream_base_url(upstream.url()));
    let decoding =
        options(Auth::builder().upstream_base_url(upstream.url()).upstream_secret([upstream.secret()]));
    [app_of(asking).await, app_of(decoding.session_source(Source::Local)).await]
}

/// Over https: Auth.js prefixes the name, Robo does not. Neither needs to be named.
#[tokio::test]
async fn without_a_kind_both_servers_are_known_over_https() {
    for name in [SECURE, PLAIN] {
        let upstream = users(FakeUpstream::builder().cookie_name(name)).start().await.unwrap();
        for (_app, browser) in both(&upstream, |builder| builder.public_url("https://app.test")).await {
            let cookie = format!("{name}={}", token("Ada", name, &upstream));
            assert_eq!(who(&browser, &cookie, &[]).await, "Ada", "{name}");
            // As a Bearer token it comes under no name.
            let bearer = format!("Bearer {}", token("Ada", name, &upstream));
            let answer = browser.get_with("/session", &[("authorization", &bearer)]).await;
            assert_eq!(answer.json()["user"]["name"], "Ada", "{name}: {answer:?}");
        }
    }
}

/// The name is the salt of the key: a token of one name is none of the other.
#[tokio::test]
async fn each_name_has_its_own_key() {
    let upstream = users(FakeUpstream::builder().cookie_name(PLAIN)).start().await.unwrap();
    let auth = Auth::builder().upstream_base_url(upstream.url()).upstream_secret([upstream.secret()]);
    let (_app, browser) = app_of(auth.session_source(Source::Local)).await;
    let cookie = format!("{PLAIN}={}", token("Ada", SECURE, &upstream));
    assert_eq!(who(&browser, &cookie, &[]).await, "token_unknown_key");
    // Neither is it found among the tokens that were verified under the other.
    let good = format!("{SECURE}={}", token("Ada", SECURE, &upstream));
    assert_eq!(who(&browser, &good, &[]).await, "Ada");
    assert_eq!(who(&browser, &cookie, &[]).await, "token_unknown_key");
}

/// Another host of the domain can set the plain name for this one too: once the upstream was seen to use the other, that
/// is of no use.
#[tokio::test]
async fn once_seen_the_name_with_the_prefix_counts_alone() {
    let upstream = users(FakeUpstream::builder().cookie_name(SECURE)).start().await.unwrap();
    let (_app, browser) =
        app_of(Auth::builder().upstream_base_url(upstream.url()).upstream_secret([upstream.secret()])).await;
    let tossed = format!("{PLAIN}={}", token("Mallory", PLAIN, &upstream));
    let own = format!("{SECURE}={}", token("Ada", SECURE, &upstream));
    let decoded = async |cookies: &str| browser.get_with("/token", &[("cookie", cookies)]).await;
    // Both count, the one with the prefix first.
    assert_eq!(decoded(&format!("{tossed}; {own}")).await.json()["name"], "Ada");
    assert_eq!(decoded(&tossed).await.json()["name"], "Mallory");
    // A lookup, whose answer sets the cookie.
    assert_eq!(who(&browser, &own, &[]).await, "Ada");
    assert_eq!(decoded(&tossed).await.code(), "session_absent");
    assert_eq!(decoded(&own).await.json()["name"], "Ada");
}

/// What a trusted proxy says of the scheme decides as `public_url` does.
#[tokio::test]
async fn the_scheme_that_a_trusted_proxy_tells_decides() {
    let upstream = users(FakeUpstream::builder().cookie_name(SECURE)).start().await.unwrap();
    let auth = Auth::builder()
        .upstream_base_url(upstream.url())
        .upstream_kind(Kind::Authjs)
        .trusted_proxies(["127.0.0.1"]);
    let (_app, browser) =
        app_of(auth.upstream_secret([upstream.secret()]).session_source(Source::Local)).await;
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

/// Nobody else's word on the scheme counts.
#[tokio::test]
async fn the_scheme_that_a_client_tells_decides_nothing() {
    let upstream = users(FakeUpstream::builder()).start().await.unwrap();
    let (app, _browser) =
        app_of(Auth::builder().upstream_base_url(upstream.url()).trusted_proxies(["10.0.0.7"])).await;
    let target = format!("https://{}/session/optional", app.addr);
    let cookie = format!("Cookie: {PLAIN}={}\r\n", token("Ada", PLAIN, &upstream));
    let head = format!("X-Forwarded-Proto: https\r\n{cookie}");
    assert!(app.raw_get(&target, &head).await.1.contains("Ada"));
    assert_eq!(upstream.seen().last().unwrap().headers["x-forwarded-proto"], "http");
}
