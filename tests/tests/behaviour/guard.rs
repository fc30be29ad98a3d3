//! Guards (`#[require_session]` and `auth.require_any_session()`): 401, a redirect to sign-in, or 403 by a policy.

use auth_proxy::options::Unauthenticated;
use auth_proxy::testing::mint;
use auth_proxy::{AuthError, Token};
use auth_proxy_tests::Answer;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, COOKIE, HOST};
use axum::middleware::map_request;
use axum::routing::get;
use serde_json::json;
use tower::ServiceExt as _;

use crate::support::{Auth, app, app_of, decoding_app, upstream};

const PAGE: (&str, &str) = ("accept", "text/html,application/xhtml+xml");
const NAVIGATE: (&str, &str) = ("sec-fetch-mode", "navigate");

fn location(answer: &Answer) -> &str {
    assert_eq!(answer.status, 303, "{answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.header("location")
}

#[tokio::test]
async fn guard_answers_401_to_api_calls_and_redirects_navigations_to_sign_in() {
    let upstream = upstream().await;
    for (_app, browser) in [app(&upstream).await, decoding_app(&upstream).await] {
        for path in ["/protected", "/group/a", "/admin", "/admins/a"] {
            let api = browser.get(path).await;
            assert_eq!((api.status, api.code().as_str()), (401, "session_absent"), "{path}");
            assert_eq!(api.header("www-authenticate"), "Bearer");
            assert_eq!(api.header("cache-control"), "no-store");
            let page = browser.get_with(&format!("{path}?tab=1&b=%2F"), &[PAGE, NAVIGATE]).await;
            let back =
                format!("{path}?tab=1&b=%2F").replace('%', "%25").replace('/', "%2F").replace('?', "%3F");
            let back = back.replace('=', "%3D").replace('&', "%26");
            assert_eq!(location(&page), format!("/api/auth/signin?callbackUrl={back}"));
            // A script that requests HTML is not a navigation.
            assert_eq!(browser.get_with(path, &[PAGE, ("sec-fetch-mode", "cors")]).await.status, 401);
        }
    }
}

#[tokio::test]
async fn invalid_cookie_redirects_to_sign_in_and_invalid_bearer_is_401() {
    let upstream = upstream().await;
    for (_app, browser) in [app(&upstream).await, decoding_app(&upstream).await] {
        let cookie = ("cookie", "authjs.session-token=aaaa..bbbb.cccc.dddd");
        assert_eq!(
            location(&browser.get_with("/protected", &[PAGE, NAVIGATE, cookie]).await),
            "/api/auth/signin?callbackUrl=%2Fprotected"
        );
        let bearer = ("authorization", "Bearer aaaa..bbbb.cccc.dddd");
        assert_eq!(browser.get_with("/protected", &[PAGE, NAVIGATE, bearer]).await.status, 401);
    }
}

/// A Bearer token over 64 KiB is an error of the program that sent it, as every invalid Bearer token is.
#[tokio::test]
async fn oversized_bearer_token_is_401_for_every_extractor_and_guard() {
    let upstream = upstream().await;
    let bearer = format!("Bearer {}", "a".repeat(65 * 1024));
    for (_app, browser) in [app(&upstream).await, decoding_app(&upstream).await] {
        for path in ["/session", "/session/optional", "/token/optional", "/protected", "/group/a", "/admin"] {
            let headers = [PAGE, NAVIGATE, ("authorization", bearer.as_str())];
            let answer = browser.get_with(path, &headers).await;
            assert_eq!((answer.status, answer.code().as_str()), (401, "token_too_large"), "{path}");
            assert!(answer.header("www-authenticate").contains("invalid_token"), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn unauthenticated_option_selects_status_or_redirect() {
    let upstream = upstream().await;
    let builder = |option| Auth::builder().upstream_base_url(upstream.url()).unauthenticated(option);
    let (_app, browser) = app_of(builder(Unauthenticated::Status)).await;
    assert_eq!(browser.get_with("/protected", &[PAGE, NAVIGATE]).await.status, 401);
    let (_app, browser) = app_of(builder(Unauthenticated::Redirect)).await;
    assert_eq!(location(&browser.get("/protected").await), "/api/auth/signin?callbackUrl=%2Fprotected");
}

#[tokio::test]
async fn callback_url_uses_public_url_and_a_guarded_sign_in_page_does_not_redirect() {
    let upstream = upstream().await;
    let auth = Auth::builder()
        .upstream_base_url(upstream.url())
        .public_url("http://app.test:8080")
        .sign_in_path("/protected")
        .build()
        .unwrap();
    let app = auth_proxy_tests::App::start(crate::support::routes(&auth)).await;
    let browser = auth_proxy_tests::Browser::of(&app);
    // A guard on the sign-in page answers 401, since a redirect to the same page would loop.
    assert_eq!(browser.get_with("/protected", &[PAGE, NAVIGATE]).await.status, 401);
    let page = browser.get_with("/group/a", &[PAGE, NAVIGATE, ("host", "evil.example")]).await;
    assert_eq!(location(&page), "/protected?callbackUrl=http%3A%2F%2Fapp.test%3A8080%2Fgroup%2Fa");
}

#[tokio::test]
async fn double_slash_path_gets_no_callback_url() {
    let upstream = upstream().await;
    let auth = Auth::builder().upstream_base_url(upstream.url()).build().unwrap();
    let router = Router::new().fallback(|| async { "ok" }).layer(auth.require_any_session());
    let app = auth_proxy_tests::App::start(router).await;
    for target in ["//evil.example/", "//evil.example", "/\\evil.example"] {
        let (status, answer) = app.raw_get(target, "Accept: text/html\r\n").await;
        assert!(status == 303 || status == 400, "{answer}");
        assert!(!answer.contains("callbackUrl"), "{answer}");
    }
}

#[tokio::test]
async fn policy_refusal_is_403_on_every_guard() {
    let upstream = upstream().await;
    for (_app, browser) in [app(&upstream).await, decoding_app(&upstream).await] {
        browser.sign_in("demo", "demo").await;
        for path in ["/admin", "/admins/a"] {
            // A navigation gets an HTML page with 403, see `error_pages`.
            assert_eq!(browser.get_with(path, &[PAGE, NAVIGATE]).await.status, 403);
            let refused = browser.get(path).await;
            assert_eq!((refused.status, refused.code().as_str()), (403, "policy_refused"));
        }
        assert_eq!(browser.get("/protected").await.status, 200);
        browser.sign_in("admin", "admin").await;
        assert_eq!(browser.get("/admin").await.body, "ok");
        assert_eq!(browser.get("/admins/a").await.body, "ok");
    }
}

#[tokio::test]
async fn unknown_paths_are_404_below_a_guarded_route_layer() {
    let upstream = upstream().await;
    let (_app, browser) = app(&upstream).await;
    assert_eq!(browser.get("/group/zzz").await.status, 404);
}

/// What a guard found counts for the handler only while the request has the same credential: a middleware may change it.
#[tokio::test]
async fn handler_behind_a_guard_gets_the_token_of_its_own_request() {
    const NAME: &str = "authjs.session-token";
    const SECRET: &str = "a secret of session tokens, 32 bytes";
    async fn user(token: Result<Token<Auth>, AuthError>) -> String {
        token.map_or_else(|error| error.code().to_owned(), |token| token.sub.clone().unwrap())
    }
    let token = |name: &str, sub: &str| mint(&json!({ "sub": sub }), SECRET, name);
    let secure = format!("__Secure-{NAME}");
    let [ada, bob] = ["ada", "bob"].map(|sub| format!("{NAME}={}", token(NAME, sub)));
    let [bearer, bob_secure] = ["Bearer ", &format!("{secure}=")]
        .map(|start| format!("{start}{}", token(if start == "Bearer " { NAME } else { &secure }, "bob")));
    for (removes_cookie, added, expected) in [
        (false, None, "ada"),
        (true, None, "session_absent"),
        (true, Some((COOKIE, bob)), "bob"),
        (true, Some((COOKIE, ada.clone())), "ada"),
        (true, Some((COOKIE, format!("{NAME}=aaaa..bbbb.cccc.dddd"))), "token_malformed"),
        (true, Some((AUTHORIZATION, bearer.clone())), "bob"),
        // A cookie counts before a Bearer token, and the name with the prefix before the other.
        (false, Some((AUTHORIZATION, bearer)), "ada"),
        (false, Some((COOKIE, bob_secure)), "bob"),
    ] {
        let auth =
            Auth::builder().upstream_base_url("http://auth").upstream_secret([SECRET]).build().unwrap();
        let change = (removes_cookie, added.clone());
        let change = move |mut request: Request| {
            let (removes_cookie, added) = change.clone();
            if removes_cookie {
                request.headers_mut().remove(COOKIE);
            }
            if let Some((name, value)) = added {
                request.headers_mut().append(name, value.parse().unwrap());
            }
            async move { request }
        };
        for is_attached in [false, true] {
            let routes = Router::new()
                .route("/", get(user))
                .route_layer(map_request(change.clone()))
                .route_layer(auth.require_any_session());
            let routes = if is_attached { auth.attach(routes) } else { routes };
            let request = Request::get("/").header(HOST, "localhost").header(COOKIE, &ada);
            let response =
                routes.with_state(auth.clone()).oneshot(request.body(Body::empty()).unwrap()).await;
            let body = axum::body::to_bytes(response.unwrap().into_body(), 1000).await.unwrap();
            assert_eq!(String::from_utf8_lossy(&body), expected, "{removes_cookie} {added:?} {is_attached}");
        }
    }
}
