//! An outage is neither a sign-out nor a sign-in.

use std::time::Duration;

use auth_proxy::options::AnswerSession;
use auth_proxy::testing::Fault;
use auth_proxy_tests::Browser;
use axum::http::StatusCode;

use super::upstream::{OF_BROWSER, Upstream, cookie, poll};
use crate::support::{Auth, app_of, upstream};

#[tokio::test]
async fn known_session_is_answered_in_an_outage_and_others_get_the_error() {
    let upstream = upstream().await;
    let builder = Auth::builder()
        .upstream_base_url(upstream.url())
        .upstream_timeout(Duration::from_millis(500))
        .upstream_retries(0)
        .upstream_circuit_breaker(0)
        .public_url("http://app.test")
        .session_cache(Duration::from_secs(3600));
    let (_app, browser) = app_of(builder.session_answer_session(AnswerSession::Cached)).await;
    browser.sign_in("demo", "demo").await;
    let ask = async || browser.get_with("/api/auth/session", &[OF_BROWSER]).await;
    assert_eq!(ask().await.json()["user"]["name"], "Demo");
    let stranger = Browser::at(browser.origin());
    let other = "authjs.session-token=aaaa..bbbb.cccc.dddd";
    for (fault, code) in [
        (Fault::Refused, "upstream_unreachable"),
        (Fault::HangBeforeHead, "upstream_timeout"),
        (Fault::CloseBeforeHead, "upstream_failed"),
    ] {
        upstream.set_fault(Some(fault)).await.unwrap();
        let answer = ask().await;
        assert_eq!((answer.status, answer.json()["user"]["name"].as_str()), (200, Some("Demo")));
        let began = std::time::Instant::now();
        let (cached, forwarded) = (
            stranger.get_with("/api/auth/session", &[("cookie", other)]).await,
            stranger.get_with("/api/auth/session?a", &[("cookie", other)]).await,
        );
        assert!(
            began.elapsed() < Duration::from_millis(1900),
            "a lookup and a forwarded request, one after the other"
        );
        assert_eq!((cached.code(), cached.status), (forwarded.code(), forwarded.status));
        assert!(cached.cookies().is_empty());
        assert_eq!(cached.code(), code);
    }
}

/// The answer of the upstream passes, as without the option.
#[tokio::test]
async fn error_that_the_upstream_answers_with_is_passed_on() {
    let upstream = Upstream::default();
    let (_app, browser) = app_of(upstream.auth().upstream_circuit_breaker(0)).await;
    for status in [500, 401, 404, 429] {
        upstream.state().status = StatusCode::from_u16(status).unwrap();
        let answer = poll(&browser, &cookie("ada")).await;
        assert_eq!((answer.status, &*answer.body), (status, "failed"));
    }
}

#[tokio::test]
async fn stale_session_is_answered_and_marked_only_if_it_may_be_used() {
    for stale_if_error in [Duration::ZERO, Duration::from_secs(60)] {
        let upstream = Upstream::default();
        let builder = upstream.auth().session_cache(Duration::from_millis(30));
        let (_app, browser) =
            app_of(builder.session_stale_if_error(stale_if_error).upstream_circuit_breaker(0)).await;
        let fresh = poll(&browser, &cookie("ada")).await;
        assert_eq!(fresh.header("auth-proxy-session"), "");
        tokio::time::sleep(Duration::from_millis(60)).await;
        upstream.state().status = StatusCode::BAD_GATEWAY;
        let answer = poll(&browser, &cookie("ada")).await;
        let app = browser.get_with("/session", &[("cookie", &cookie("ada"))]).await;
        assert_eq!(app.status == 200, answer.status == 200, "as `Session`: {answer:?}");
        assert!(answer.cookies().is_empty());
        if answer.status == 200 {
            assert_eq!((answer.header("auth-proxy-session"), &answer.body), ("stale", &fresh.body));
            assert!(!stale_if_error.is_zero());
        } else {
            assert_eq!((answer.status, stale_if_error), (502, Duration::ZERO));
        }
    }
}
