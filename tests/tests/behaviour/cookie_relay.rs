//! Relay of session cookies: a lookup returns a renewed or a cleared cookie, which the app sends to the browser.

use std::time::Duration;

use auth_proxy::options::SessionStrategy;
use auth_proxy::testing::mint;
use axum::Router;
use axum::http::header::{COOKIE as COOKIE_HEADER, SET_COOKIE};
use axum::routing::get;
use serde_json::json;
use tokio::time::timeout;

use crate::support::{Auth, app, app_of, upstream};
use auth_proxy::Session;
use auth_proxy_tests::{App, Browser};

const COOKIE: &str = "authjs.session-token";

#[tokio::test]
async fn lookup_relays_the_renewed_cookie_once_and_clears_a_refused_cookie() {
    let upstream = upstream().await;
    let (_app, browser) = app(&upstream).await;
    let token = mint(&json!({ "sub": "1", "name": "Demo" }), upstream.secret(), COOKIE);
    let cookie = format!("{COOKIE}={token}");
    for path in ["/session", "/session/optional", "/everything", "/protected", "/group/a"] {
        let answer = browser.get_with(path, &[("cookie", &cookie)]).await;
        assert_eq!(answer.status, 200, "{path}");
        let cookies = answer.cookies();
        assert!(cookies.len() == 1 && cookies[0].starts_with(&format!("{COOKIE}=ey")), "{path}: {cookies:?}");
        assert_eq!(answer.header("cache-control"), "private");
        let cleared =
            browser.get_with(path, &[("cookie", "authjs.session-token=aaaa..bbbb.cccc.dddd")]).await;
        assert_eq!(
            cleared.cookies(),
            [format!("{COOKIE}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax")],
            "{path}"
        );
    }
    // Responses without a lookup, and responses to a Bearer token, set no cookie.
    assert!(browser.get_with("/plain", &[("cookie", &cookie)]).await.cookies().is_empty());
    let bearer = format!("Bearer {token}");
    assert!(browser.get_with("/session", &[("authorization", &bearer)]).await.cookies().is_empty());
}

#[tokio::test]
async fn relayed_cookie_has_no_domain_attribute() {
    let upstream: Router = Router::new().fallback(|| async {
        let cookie = [(SET_COOKIE, "authjs.session-token=new; Domain=auth.example.com; Path=/; HttpOnly")];
        (cookie, r#"{"user":{"name":"Ada"}}"#)
    });
    let builder = Auth::builder().upstream_base_url("https://auth.example.com").upstream_fetch(upstream);
    let (_app, browser) = app_of(builder.public_url("https://app.example.com")).await;
    let answer =
        browser.get_with("/session", &[("cookie", "authjs.session-token=aaaa..bbbb.cccc.dddd")]).await;
    assert_eq!(answer.cookies(), ["authjs.session-token=new; Path=/; HttpOnly"]);
}

#[tokio::test]
async fn renewed_cookie_is_valid_until_sign_out() {
    let upstream = upstream().await;
    let (_app, browser) = app(&upstream).await;
    browser.sign_in("demo", "demo").await;
    for _ in 0..3 {
        let answer = browser.get("/session").await;
        assert_eq!((answer.status, answer.cookies().len()), (200, 1));
    }
    let signed_out = browser.sign_out().await;
    assert_eq!(signed_out.cookies().len(), 1, "{signed_out:?}");
    assert_eq!(browser.get("/session").await.code(), "session_absent");
}

#[tokio::test]
async fn session_cookie_of_a_handler_replaces_the_renewed_cookie() {
    let upstream = upstream().await;
    let auth = Auth::builder().upstream_base_url(upstream.url()).build().unwrap();
    let own = |_session: Session<Auth>| async { ([(SET_COOKIE, "authjs.session-token=mine")], "ok") };
    let theme = |_session: Session<Auth>| async { ([(SET_COOKIE, "theme=dark")], "ok") };
    let router = Router::new().route("/own", get(own)).route("/theme", get(theme));
    let app = App::start(auth.attach(router).with_state(auth.clone())).await;
    let browser = Browser::of(&app);
    let token = mint(&json!({ "sub": "1" }), upstream.secret(), COOKIE);
    let cookie = format!("{COOKIE}={token}");
    let cookie = [("cookie", cookie.as_str())];
    assert_eq!(browser.get_with("/own", &cookie).await.cookies(), ["authjs.session-token=mine"]);
    let both = browser.get_with("/theme", &cookie).await;
    assert_eq!((both.cookies().len(), both.cookies()[0]), (2, "theme=dark"));
}

/// A guard outside of the layer, and the handler within it, share one lookup.
#[tokio::test]
async fn guard_outside_of_the_cookie_layer_shares_its_lookup() {
    let upstream = upstream().await;
    let auth = Auth::builder().upstream_base_url(upstream.url()).build().unwrap();
    let router = Router::new().route("/", get(|_: Session<Auth>| async { "ok" }));
    let router = router.layer(auth.session_cookie_layer()).route_layer(auth.require_any_session());
    let app = App::start(router.with_state(auth)).await;
    let cookie = upstream.cookie(&json!({ "sub": "1", "name": "Demo" }));
    let answer = Browser::of(&app).get_with("/", &[("cookie", &cookie)]).await;
    assert_eq!((answer.status, answer.cookies().len(), upstream.lookups()), (200, 1, 1), "{answer:?}");
}

/// A stream asks for its session again, and has no response for the cookie. It must not count as sent to the browser.
#[tokio::test]
async fn cookie_renewed_for_a_stream_is_relayed_by_the_next_request() {
    let cookie = [("cookie", "authjs.session-token=same")];
    let upstream: Router = Router::new().fallback(|| async {
        ([(SET_COOKIE, "authjs.session-token=same; Max-Age=86400")], r#"{"user":{"name":"Ada"}}"#)
    });
    let auth = Auth::builder()
        .upstream_base_url("http://auth")
        .upstream_session_strategy(SessionStrategy::Database)
        .upstream_fetch(upstream)
        .session_renew(Duration::from_secs(3600))
        .build()
        .unwrap();
    let headers = [(COOKIE_HEADER, cookie[0].1.parse().unwrap())].into_iter().collect();
    let session = auth.session(&headers).await.unwrap().unwrap();
    timeout(Duration::from_millis(100), session.ended()).await.unwrap_err();
    let shown = |_session: Session<Auth>| async { "ok" };
    let app = auth.attach(Router::new().route("/", get(shown))).with_state(auth);
    let app = App::start(app).await;
    let browser = Browser::of(&app);
    assert_eq!(browser.get_with("/", &cookie).await.cookies().len(), 1);
    assert!(browser.get_with("/", &cookie).await.cookies().is_empty(), "`session.renew` is not over");
}
