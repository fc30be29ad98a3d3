//! Robo.js: an app in front of a fake upstream that behaves like a real Robo.js server.

use auth_proxy::options::SessionStrategy;
use auth_proxy::testing::FakeUpstream;

use crate::support::{Auth, app_of, users};

#[tokio::test]
async fn robo_sign_in_and_sign_out_work_in_both_strategies() {
    for strategy in [SessionStrategy::Jwt, SessionStrategy::Database] {
        let upstream = users(FakeUpstream::builder().robo().strategy(strategy)).start().await.unwrap();
        let (app, browser) =
            app_of(Auth::builder().upstream_base_url(upstream.url()).upstream_session_strategy(strategy))
                .await;
        let signed_in = browser.sign_in("demo", "demo").await;
        assert_eq!(signed_in.header("location"), app.url("/"));
        let tokens =
            signed_in.cookies().iter().filter(|cookie| cookie.starts_with("authjs.session-token=")).count();
        assert_eq!(tokens, if strategy == SessionStrategy::Database { 2 } else { 1 });
        assert_eq!(browser.get("/session").await.json()["user"]["name"], "Demo", "{strategy:?}");
        assert_eq!(browser.get("/protected").await.body, "ok");
        assert_eq!(browser.get("/admin").await.code(), "policy_refused");
        browser.sign_out().await;
        assert_eq!(browser.get("/session").await.code(), "session_absent");
    }
}

#[tokio::test]
async fn requests_that_robo_cannot_handle_get_a_response() {
    let upstream = users(FakeUpstream::builder().robo()).start().await.unwrap();
    let (app, browser) = app_of(Auth::builder().upstream_base_url(upstream.url())).await;
    // Robo does not support HEAD, so it is forwarded as GET.
    let head = reqwest::Client::new().head(app.url("/api/auth/session")).send().await.unwrap();
    assert_eq!(head.status().as_u16(), 200);
    // Robo has no sign-out page. Its 405 is forwarded.
    let page = browser.get("/api/auth/signout").await;
    assert_eq!((page.status, page.header("allow")), (405, "POST"));
    // The 200 of Robo for an unknown route is forwarded too.
    assert_eq!(browser.get("/api/auth/unknown").await.body, "\"API Route not found.\"");
    // Robo never answers requests with these headers, so they are removed or corrected.
    for head in ["X-Forwarded-Proto: ftp\r\n", "X-Forwarded-Host: a b\r\n", "Forwarded: proto=ftp\r\n"] {
        assert_eq!(app.raw_get("/api/auth/session", head).await.0, 200, "{head}");
    }
}

/// Robo answers an unknown path with 200 and a JSON string, which means neither signed in nor signed out.
#[tokio::test]
async fn wrong_base_path_is_502_and_not_signed_out() {
    let upstream = users(FakeUpstream::builder().robo()).start().await.unwrap();
    let (_app, browser) =
        app_of(Auth::builder().upstream_base_url(upstream.url()).upstream_base_path("/elsewhere")).await;
    for path in ["/session", "/session/optional", "/protected"] {
        let answer = browser.get_with(path, &[("cookie", "authjs.session-token=aaaa..bbbb.cccc.dddd")]).await;
        assert_eq!((answer.status, answer.code().as_str()), (502, "upstream_invalid_response"), "{path}");
    }
}

/// Recorded from a real server: with `X-Auth-Return-Redirect` and database sessions Robo sets only the token of
/// Auth.js, which the next lookup does not find in the database.
#[tokio::test]
async fn robo_database_sign_in_with_return_redirect_gives_no_session() {
    for strategy in [SessionStrategy::Jwt, SessionStrategy::Database] {
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
        assert_eq!(session.json().is_null(), strategy == SessionStrategy::Database, "{session:?}");
    }
}

/// The session JSON of Robo contains the session token. Page scripts get it only with `session.expose_session_token`,
/// whatever `upstream.session_strategy` says.
#[tokio::test]
async fn session_token_reaches_page_scripts_only_with_the_option() {
    use SessionStrategy::{Database, Jwt};
    for (expose, written) in [(false, Database), (true, Database), (false, Jwt), (true, Jwt)] {
        let builder = FakeUpstream::builder().robo().strategy(Database);
        let upstream = users(builder).start().await.unwrap();
        let builder = Auth::builder().upstream_base_url(upstream.url()).upstream_session_strategy(written);
        let (_app, browser) = app_of(builder.session_expose_session_token(expose)).await;
        browser.sign_in("demo", "demo").await;
        let session = browser.get("/api/auth/session").await;
        assert_eq!(session.json()["user"]["name"], "Demo");
        assert_eq!(session.json().get("sessionToken").is_some(), expose, "{written}");
        assert!(session.header("cache-control").contains("private"), "{session:?}");
    }
}
