//! Credential selection: extractors, guards and layers of one request must all use the same token.

use std::time::Duration;

use auth_proxy::testing::{FakeUpstream, mint};
use auth_proxy::{Session, options::UpstreamKind};
use auth_proxy_tests::{App, Browser};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::routing::get;
use serde_json::json;
use tokio::time::sleep;
use tower::ServiceExt as _;

use crate::support::{Auth, app, app_of, routes, upstream, users};

use super::{PLAIN, SECRET, SECURE, cookie_of, oneshot};

/// guide::policies: session, token and policy of one request use one credential. Another visitor's response may
/// change the accepted cookie names during the request; that must not change the credential.
#[tokio::test]
async fn credential_is_fixed_when_cookie_names_change_during_a_request() {
    let [admin, user, other] = [
        mint(&json!({ "sub": "2", "name": "Ada", "role": "admin" }), SECRET, SECURE),
        mint(&json!({ "sub": "1", "name": "Demo", "role": "user" }), SECRET, PLAIN),
        mint(&json!({ "sub": "3", "name": "Carl" }), SECRET, SECURE),
    ];
    // The upstream uses both names, as two replicas do while one of them is moved to https.
    let session = move |headers: HeaderMap| async move {
        if cookie_of(&headers, SECURE).is_some() {
            return ([("set-cookie", format!("{SECURE}=x"))], r#"{"user":{"name":"Carl"}}"#);
        }
        sleep(Duration::from_millis(300)).await;
        ([("set-cookie", format!("{PLAIN}=x"))], r#"{"user":{"name":"Demo","role":"user"}}"#)
    };
    let upstream = Router::new().route("/api/auth/session", get(session));
    let auth = Auth::builder()
        .upstream_base_url("http://auth")
        .upstream_secret([SECRET])
        .upstream_fetch(upstream)
        .build()
        .unwrap();
    let app = routes(&auth);
    // From this response the app learns the plain name, which takes precedence from then on.
    assert_eq!(oneshot(&app, "GET", "/session", &format!("{PLAIN}={user}")).await.status(), 200);
    // A revoked admin token under the other name must not grant access.
    let both = format!("{PLAIN}={user}; {SECURE}={admin}");
    assert_eq!(oneshot(&app, "GET", "/admin", &both).await.status(), 403);
    // The same must hold if the app learns the other name between the session lookup and the token check.
    let (refused, _) = tokio::join!(oneshot(&app, "GET", "/admin", &both), async {
        sleep(Duration::from_millis(100)).await;
        oneshot(&app, "GET", "/session", &format!("{SECURE}={other}")).await
    });
    assert_eq!(refused.status(), 403, "Demo's session passed with Ada's token");
}

/// SECURITY.md: a cookie under the name that the upstream does not use neither signs a visitor in nor locks one out.
/// Another host of the site can set such a cookie; a signed-out visitor who has it must not get 502 on every page.
#[tokio::test]
async fn cookie_under_the_unused_name_is_signed_out_and_not_502() {
    let upstream = upstream().await;
    let (_app, browser) = app(&upstream).await;
    browser.sign_in("demo", "demo").await;
    assert_eq!(browser.get("/session").await.status, 200);
    let tossed = format!("{SECURE}=AAAA..AAAA.AAAA.AAAA");
    for path in ["/session/optional", "/api/auth/session"] {
        let answer = browser.get_with(path, &[("cookie", &tossed)]).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "null"), "{path}");
    }
}

/// guide::policies: an invalid Bearer token is 401, even for an optional session (`Option<Session>`).
#[tokio::test]
async fn bearer_token_without_a_user_is_401_for_option() {
    let no_user = || async { ([("set-cookie", "next-auth.session-token=x")], r#"{"user":{"name":null}}"#) };
    let router = Router::new().route("/api/auth/session", get(no_user));
    let auth = Auth::builder()
        .upstream_base_url("http://auth")
        .upstream_kind(UpstreamKind::NextAuthV4)
        .upstream_fetch(router)
        .build()
        .unwrap();
    let request = Request::get("/session/optional").header("authorization", "Bearer AAAA..AAAA.AAAA.AAAA");
    let answer = routes(&auth).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 401);
}

/// The token key depends on the cookie name. Once the upstream has used the prefixed name, a token made for the plain
/// name is invalid, as a cookie and as a Bearer token.
#[tokio::test]
async fn bearer_token_for_the_unused_cookie_name_is_rejected() {
    let upstream = users(FakeUpstream::builder().cookie_name(SECURE)).start().await.unwrap();
    let (app, browser) =
        app_of(Auth::builder().upstream_base_url(upstream.url()).upstream_secret([upstream.secret()])).await;
    let own = mint(&json!({ "sub": "1", "name": "Ada" }), upstream.secret(), SECURE);
    assert_eq!(browser.get_with("/session", &[("cookie", &format!("{SECURE}={own}"))]).await.status, 200);
    let other = mint(&json!({ "sub": "2", "name": "Mallory" }), upstream.secret(), PLAIN);
    let cookie = browser.get_with("/protected", &[("cookie", &format!("{PLAIN}={other}"))]).await;
    assert_eq!(cookie.status, 401);
    // A new browser, since the first one has the renewed cookie.
    let bearer = format!("Bearer {other}");
    let answer = Browser::of(&app).get_with("/protected", &[("authorization", &bearer)]).await;
    assert_eq!(answer.code(), "token_unknown_key");
}

/// guide::csrf: a cross-site write with the session cookie is 403. The layer must look for the cookie
/// under the same names as the handler, which depend on the scheme of the request: another visitor over https must not
/// change which cookie is used over http.
#[tokio::test]
async fn cross_origin_layer_and_handler_use_the_same_cookie_name() {
    let answer = |headers: HeaderMap| async move {
        let name = if headers["x-forwarded-proto"] == "https" { SECURE } else { PLAIN };
        let body = if cookie_of(&headers, name).is_some() { r#"{"user":{"name":"Ada"}}"# } else { "null" };
        ([("set-cookie", format!("{name}=x"))], body)
    };
    for kind in [None, Some(UpstreamKind::Authjs)] {
        let builder =
            Auth::builder().upstream_base_url("http://auth").upstream_fetch(Router::new().fallback(answer));
        let builder = builder.trusted_proxies(["127.0.0.1"]);
        let builder = if let Some(kind) = kind { builder.upstream_kind(kind) } else { builder };
        let auth = builder.build().unwrap();
        let writes = routes(&auth).route(
            "/transfer",
            axum::routing::post(|session: Session<Auth>| async move { session.user.name.clone().unwrap() })
                .layer(auth.cross_origin_protection())
                .with_state(auth.clone()),
        );
        let app = App::start(writes).await;
        let browser = Browser::of(&app);
        let transfer = async || {
            let cookie = format!("{PLAIN}=aaaa..bbbb.cccc.dddd");
            let headers = [
                ("cookie", cookie.as_str()),
                ("x-forwarded-proto", "http"),
                ("sec-fetch-site", "cross-site"),
            ];
            browser.post_with("/transfer", &[], &headers).await.status
        };
        assert_eq!(transfer().await, 403);
        let secure = format!("{SECURE}=aaaa..bbbb.cccc.dddd");
        let headers = [("cookie", secure.as_str()), ("x-forwarded-proto", "https")];
        assert_eq!(browser.get_with("/session", &headers).await.status, 200);
        assert_eq!(transfer().await, 403, "{kind:?}");
    }
}
