//! In front of an upstream that answers as a real Robo.js server was seen to.

use auth_proxy::Strategy;
use auth_proxy::testing::FakeUpstream;

use crate::support::{Auth, app_of, users};

#[tokio::test]
async fn sign_in_and_out_in_both_strategies() {
    for strategy in [Strategy::Jwt, Strategy::Database] {
        let upstream = users(FakeUpstream::builder().robo().strategy(strategy)).start().await.unwrap();
        let (app, browser) =
            app_of(Auth::builder().upstream_base_url(upstream.url()).upstream_session_strategy(strategy))
                .await;
        let signed_in = browser.sign_in("demo", "demo").await;
        assert_eq!(signed_in.header("location"), app.url("/"));
        let tokens =
            signed_in.cookies().iter().filter(|cookie| cookie.starts_with("authjs.session-token=")).count();
        assert_eq!(tokens, if strategy == Strategy::Database { 2 } else { 1 });
        assert_eq!(browser.get("/session").await.json()["user"]["name"], "Demo", "{strategy:?}");
        assert_eq!(browser.get("/protected").await.body, "ok");
        assert_eq!(browser.get("/admin").await.code(), "policy_refused");
        browser.sign_out().await;
        assert_eq!(browser.get("/session").await.code(), "session_absent");
    }
}

#[tokio::test]
async fn what_it_refuses_is_answered_here() {
    let upstream = users(FakeUpstream::builder().robo()).start().await.unwrap();
    let (app, browser) = app_of(Auth::builder().upstream_base_url(upstream.url())).await;
    // HEAD, which it does not know.
    let head = reqwest::Client::new().head(app.url("/api/auth/session")).send().await.unwrap();
    assert_eq!(head.status().as_u16(), 200);
    // Its own 405 passes: there is no sign-out page.
    let page = browser.get("/api/auth/signout").await;
    assert_eq!((page.status, page.header("allow")), (405, "POST"));
    // Its way of saying not found passes too.
    assert_eq!(browser.get("/api/auth/nonsense").await.body, "\"API Route not found.\"");
    // What it would never answer never reaches it.
    for head in ["X-Forwarded-Proto: ftp\r\n", "X-Forwarded-Host: a b\r\n", "Forwarded: proto=ftp\r\n"] {
        assert_eq!(app.raw_get("/api/auth/session", head).await.0, 200, "{head}");
    }
}

/// Not found is 200 with a string: neither signed in nor signed out.
#[tokio::test]
async fn a_wrong_base_path_is_no_sign_out() {
    let upstream = users(FakeUpstream::builder().robo()).start().await.unwrap();
    let (_app, browser) =
        app_of(Auth::builder().upstream_base_url(upstream.url()).upstream_base_path("/elsewhere")).await;
    for path in ["/session", "/session/optional", "/protected"] {
        let answer = browser.get_with(path, &[("cookie", "authjs.session-token=aaaa..bbbb.cccc.dddd")]).await;
        assert_eq!((answer.status, answer.code().as_str()), (502, "upstream_invalid_response"), "{path}");
    }
}

/// Seen of a real one: with `X-Auth-Return-Redirect` and database sessions only Auth.js's own token is set, which
/// the next lookup does not know.
#[tokio::test]
async fn with_return_redirect_a_database_sign_in_signs_nobody_in() {
    for strategy in [Strategy::Jwt, Strategy::Database] {
        let upstream = users(FakeUpstream::builder().robo().strategy(strategy)).start().await.unwrap();
        let (app, browser) =
            app_of(Auth::builder().upstream_base_url(upstream.url()).upstream_session_strategy(strategy))
                .await;
        let csrf = browser.csrf().await;
        let form = [("csrfToken", csrf.as_str()), ("username", "demo"), ("password", "demo")];
        let answer = browser
            .post_with("/api/auth/callback/credentials", &form, &[("x-auth-return-redirect", "1")])
            .await;
        assert_eq!(answer.json()["url"], app.url(""), "{answer:?}");
        let tokens = answer.cookies().iter().filter(|line| line.starts_with("authjs.session-token=")).count();
        assert_eq!(tokens, 1);
        let session = browser.get("/api/auth/session").await;
        assert_eq!(session.json().is_null(), strategy == Strategy::Database, "{session:?}");
    }
}

/// A database session of Robo tells the value of its cookie to whoever asks: page scripts must not read it.
#[tokio::test]
async fn page_scripts_do_not_read_the_session_token() {
    for (expose, reads) in [(false, false), (true, true)] {
        let builder = FakeUpstream::builder().robo().strategy(Strategy::Database);
        let upstream = users(builder).start().await.unwrap();
        let builder =
            Auth::builder().upstream_base_url(upstream.url()).upstream_session_strategy(Strategy::Database);
        let (_app, browser) = app_of(builder.session_expose_session_token(expose)).await;
        browser.sign_in("demo", "demo").await;
        let session = browser.get("/api/auth/session").await;
        assert_eq!(session.json()["user"]["name"], "Demo");
        assert_eq!(session.json().get("sessionToken").is_some(), reads);
        assert!(session.header("cache-control").contains("private"), "{session:?}");
    }
}
