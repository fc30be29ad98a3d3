//! Which token counts, and that it is the same one everywhere.

use std::time::Duration;

use auth_proxy::testing::{FakeUpstream, mint};
use auth_proxy::{Kind, Session};
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

/// README, "Four outcomes": one request has one credential, and session, token and policy are all of it. The names that
/// count are read anew for each of them, while another visitor's answer may change them.
#[tokio::test]
async fn one_credential_also_when_the_names_are_learnt_meanwhile() {
    let [admin, user, other] = [
        mint(&json!({ "sub": "2", "name": "Ada", "role": "admin" }), SECRET, SECURE),
        mint(&json!({ "sub": "1", "name": "Demo", "role": "user" }), SECRET, PLAIN),
        mint(&json!({ "sub": "3", "name": "Carl" }), SECRET, SECURE),
    ];
    // Two replicas of an upstream that is being moved to https.
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
    // The upstream is seen to use the plain name, which comes first then.
    assert_eq!(oneshot(&app, "GET", "/session", &format!("{PLAIN}={user}")).await.status(), 200);
    // A revoked token of an admin under the other name is of no use..
    let both = format!("{PLAIN}={user}; {SECURE}={admin}");
    assert_eq!(oneshot(&app, "GET", "/admin", &both).await.status(), 403);
    // .. until the other name is learnt between the session and the token.
    let (refused, _) = tokio::join!(oneshot(&app, "GET", "/admin", &both), async {
        sleep(Duration::from_millis(100)).await;
        oneshot(&app, "GET", "/session", &format!("{SECURE}={other}")).await
    });
    assert_eq!(refused.status(), 403, "Demo's session passed with Ada's token");
}

/// SECURITY.md: a cookie under the name that the upstream does not use signs nobody in, nor should it keep anybody out.
/// One that another host of the site tossed makes every page 502 for a visitor who is signed out, even though this
/// upstream was seen to use the other name.
#[tokio::test]
async fn a_tossed_cookie_of_the_other_name_is_no_outage() {
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

/// README, "Four outcomes": an invalid Bearer token is 401 also for an `Option`.
#[tokio::test]
async fn a_bearer_token_of_nobody_is_refused_where_one_may_be_absent() {
    let nobody = || async { ([("set-cookie", "next-auth.session-token=x")], r#"{"user":{"name":null}}"#) };
    let router = Router::new().route("/api/auth/session", get(nobody));
    let auth = Auth::builder()
        .upstream_base_url("http://auth")
        .upstream_kind(Kind::NextAuthV4)
        .upstream_fetch(router)
        .build()
        .unwrap();
    let request = Request::get("/session/optional").header("authorization", "Bearer AAAA..AAAA.AAAA.AAAA");
    let answer = routes(&auth).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 401);
}

/// What counts for a cookie counts for a Bearer token: once the upstream was seen to use the name with the prefix, a
/// token under the key of the other is good for nothing.
#[tokio::test]
async fn a_bearer_token_of_the_name_that_does_not_count_is_refused() {
    let upstream = users(FakeUpstream::builder().cookie_name(SECURE)).start().await.unwrap();
    let (app, browser) =
        app_of(Auth::builder().upstream_base_url(upstream.url()).upstream_secret([upstream.secret()])).await;
    let own = mint(&json!({ "sub": "1", "name": "Ada" }), upstream.secret(), SECURE);
    assert_eq!(browser.get_with("/session", &[("cookie", &format!("{SECURE}={own}"))]).await.status, 200);
    let other = mint(&json!({ "sub": "2", "name": "Mallory" }), upstream.secret(), PLAIN);
    let cookie = browser.get_with("/protected", &[("cookie", &format!("{PLAIN}={other}"))]).await;
    assert_eq!(cookie.status, 401);
    // Of another browser, without the cookie that the lookup renewed.
    let bearer = format!("Bearer {other}");
    let answer = Browser::of(&app).get_with("/protected", &[("authorization", &bearer)]).await;
    assert_eq!(answer.code(), "token_unknown_key");
}

/// README, "Writes from other sites": a request with the session cookie that a page of another site brings about is 403.
/// The layer looks for the cookie under other names than the handler does, who goes by the scheme: where one visitor came
/// over https, the cookie of those who come over http is none to the layer.
#[tokio::test]
async fn the_layer_and_the_handler_look_for_the_same_cookie() {
    let answer = |headers: HeaderMap| async move {
        let name = if headers["x-forwarded-proto"] == "https" { SECURE } else { PLAIN };
        let body = if cookie_of(&headers, name).is_some() { r#"{"user":{"name":"Ada"}}"# } else { "null" };
        ([("set-cookie", format!("{name}=x"))], body)
    };
    for kind in [None, Some(Kind::Authjs)] {
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
