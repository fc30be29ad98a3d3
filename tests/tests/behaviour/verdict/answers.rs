//! The four outcomes, in the form that each proxy understands.

use super::{Question, app, builder, guests};
use auth_proxy::options::Unauthenticated;

type Asks = fn(&str) -> Question;

const PROXIES: [Asks; 3] = [Question::nginx, Question::traefik, |target| Question::envoy("GET", target)];

#[tokio::test]
async fn signed_in_visitor_passes_with_identity_headers() {
    for asks in PROXIES {
        let verdict = asks("/reports?year=1").cookie("ada").ask(&app()).await;
        assert_eq!(verdict.status, 200);
        assert_eq!(
            verdict.identity(),
            [("x-auth-subject", "7"), ("x-auth-name", "Ada"), ("x-auth-email", "ada@example.com")]
        );
        assert_eq!(verdict.header("cache-control"), Some("no-store"));
        assert_eq!(verdict.body, "");
    }
}

#[tokio::test]
async fn signed_out_program_gets_401_with_a_challenge() {
    for asks in PROXIES {
        let verdict = asks("/").ask(&app()).await;
        assert_eq!(verdict.outcome(), (401, "session_absent".to_owned()));
        assert_eq!(verdict.header("www-authenticate"), Some("Bearer"));
        assert_eq!((verdict.header("location"), verdict.header("x-auth-redirect")), (None, None));
        let verdict = asks("/").cookie("refused").ask(&app()).await;
        assert_eq!(verdict.outcome(), (401, "session_refused".to_owned()));
        assert!(verdict.identity().is_empty());
    }
}

#[tokio::test]
async fn signed_out_browser_is_sent_to_sign_in_and_back_by_each_proxy() {
    let app = app();
    let back = "/api/auth/signin?callbackUrl=%2Freports%3Fyear%3D1%26x%3D%252F";
    let target = "/reports?year=1&x=%2F";
    // nginx would make a 500 of any other status.
    let verdict = Question::nginx(target).page().ask(&app).await;
    assert_eq!((verdict.status, verdict.header("x-auth-redirect")), (401, Some(back)));
    assert_eq!(verdict.header("location"), None);
    // Traefik would resolve a path against the address of the endpoint.
    let verdict = Question::traefik(target).page().ask(&app).await;
    let absolute = format!("https://app.example.com{back}");
    assert_eq!((verdict.status, verdict.header("location")), (303, Some(absolute.as_str())));
    let verdict = Question::envoy("GET", target).page().ask(&app).await;
    assert_eq!((verdict.status, verdict.header("location")), (303, Some(back)));
}

#[tokio::test]
async fn public_url_decides_the_origin_of_the_sign_in_page() {
    let app = builder().public_url("https://public.example").build().unwrap().verdict().router();
    let verdict = Question::traefik("/a").page().ask(&app).await;
    let location = "https://public.example/api/auth/signin?callbackUrl=https%3A%2F%2Fpublic.example%2Fa";
    assert_eq!(verdict.header("location"), Some(location));
}

/// A browser resolves `//host` and `/\host` against the scheme, so it would leave this origin after the sign-in.
#[tokio::test]
async fn target_that_leads_to_another_host_is_no_return_address() {
    for target in ["//evil.example/", "//evil.example", "/\\evil.example"] {
        for asks in PROXIES {
            let verdict = asks(target).page().ask(&app()).await;
            let sign_in = verdict.header("location").or(verdict.header("x-auth-redirect"));
            assert!(!format!("{:?} {}", sign_in, verdict.body).contains("evil"), "{verdict:?}");
            assert!(matches!(verdict.status, 303 | 400 | 401), "{verdict:?}");
        }
    }
}

#[tokio::test]
async fn posted_form_is_not_repeated_after_the_sign_in() {
    let verdict = Question::nginx_about("POST", "/pay").page().ask(&app()).await;
    assert_eq!((verdict.status, verdict.header("x-auth-redirect")), (401, Some("/api/auth/signin")));
}

#[tokio::test]
async fn sign_in_routes_and_status_option_give_no_redirect() {
    let verdict = Question::traefik("/api/auth/signin").page().ask(&app()).await;
    assert_eq!(verdict.outcome(), (401, "session_absent".to_owned()));
    let auth = builder().unauthenticated(Unauthenticated::Status).build().unwrap();
    for asks in PROXIES {
        let verdict = asks("/").page().ask(&auth.verdict().router()).await;
        assert_eq!((verdict.status, verdict.header("x-auth-redirect")), (401, None));
    }
}

#[tokio::test]
async fn outage_is_never_401_nor_a_redirect() {
    for asks in PROXIES {
        let verdict = asks("/").cookie("down").ask(&app()).await;
        assert_eq!(verdict.outcome(), (502, "upstream_failed".to_owned()));
        assert_eq!(verdict.header("retry-after"), Some("5"));
        assert!(verdict.identity().is_empty());
        let page = asks("/").cookie("down").page().ask(&app()).await;
        assert_eq!((page.status, page.header("content-type")), (502, Some("text/html; charset=utf-8")));
        assert!(page.body.contains("upstream_failed") && page.header("retry-after").is_some());
    }
}

#[tokio::test]
async fn guests_pass_without_identity_and_outages_stay_errors() {
    let app = builder().build().unwrap().verdict().rules(guests()).router();
    for asks in PROXIES {
        for question in [asks("/"), asks("/").page(), asks("/").cookie("refused")] {
            let verdict = question.ask(&app).await;
            assert_eq!((verdict.status, verdict.identity().len()), (200, 0), "{verdict:?}");
        }
        assert_eq!(asks("/").cookie("ada").ask(&app).await.header("x-auth-subject"), Some("7"));
        assert_eq!(asks("/").cookie("down").ask(&app).await.outcome(), (502, "upstream_failed".to_owned()));
        // A program that sends a token means to be signed in.
        let bearer = asks("/").with("authorization", "Bearer refused").ask(&app).await;
        assert_eq!(bearer.outcome(), (401, "session_refused".to_owned()));
    }
}

#[tokio::test]
async fn bearer_token_is_checked_and_never_redirected() {
    for asks in PROXIES {
        let verdict = asks("/").with("authorization", "Bearer ada").ask(&app()).await;
        assert_eq!((verdict.status, verdict.header("x-auth-subject")), (200, Some("7")));
        let verdict = asks("/").with("authorization", "Bearer refused").page().ask(&app()).await;
        assert_eq!(verdict.outcome(), (401, "session_refused".to_owned()));
        assert_eq!(verdict.header("x-auth-redirect"), None);
    }
}
