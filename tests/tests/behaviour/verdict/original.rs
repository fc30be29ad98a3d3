//! Which request a question is about.

use auth_proxy_tests::LogCapture;

use super::{Question, app};

#[tokio::test]
async fn question_without_uri_or_method_is_refused_and_the_log_names_the_headers() {
    let log = LogCapture::start();
    let app = app();
    for question in [
        Question::bare(),
        Question::bare().with("x-original-uri", "/"),
        Question::bare().with("x-original-method", "GET"),
        Question::bare().with("x-original-uri", "").with("x-original-method", ""),
        Question::bare().with("x-forwarded-uri", "/"),
        Question::bare().with("x-original-uri", "/").with("x-forwarded-method", "GET"),
        Question::envoy("GET", ""),
        Question::envoy("GET", "?a=/"),
    ] {
        let verdict = question.cookie("ada").ask(&app).await;
        assert_eq!(verdict.outcome(), (400, "original_request_missing".to_owned()));
    }
    assert!(log.text().contains("have the proxy send `X-Original-URI`"), "{}", log.text());
}

/// A proxy passes on the headers of a client that it does not overwrite. The client must not choose which count.
#[tokio::test]
async fn headers_of_a_client_beside_those_of_the_proxy_cannot_change_the_request() {
    let app = app();
    for (name, value) in [
        ("x-forwarded-uri", "/public"),
        ("x-forwarded-method", "OPTIONS"),
        ("x-original-uri", "/public"),
        ("x-original-uri", "/admin"),
        ("x-original-method", "HEAD"),
        ("X-ORIGINAL-URI", "/public"),
    ] {
        let verdict = Question::nginx("/admin").with(name, value).cookie("ada").ask(&app).await;
        assert_eq!(verdict.status, 400, "{name}: {value}");
    }
    let both = Question::nginx("/admin").with("x-forwarded-uri", "/public").with("x-forwarded-method", "GET");
    assert_eq!(both.cookie("ada").ask(&app).await.outcome(), (400, "original_request_invalid".to_owned()));
    let same = Question::nginx("/a").with("x-forwarded-uri", "/a").with("x-forwarded-method", "GET");
    assert_eq!(same.cookie("ada").ask(&app).await.outcome(), (400, "original_request_invalid".to_owned()));
    // With Envoy the path alone counts.
    let envoy =
        Question::envoy("GET", "/admin").with("x-original-uri", "/p").with("x-original-method", "GET");
    let verdict = envoy.page().ask(&app).await;
    assert_eq!(verdict.header("location"), Some("/api/auth/signin?callbackUrl=%2Fadmin"));
}

#[tokio::test]
async fn target_or_method_that_cannot_be_read_is_refused() {
    let app = app();
    for target in ["*", "admin", "http://app.example.com/admin", "/a#b", "/é", "/a b"] {
        let verdict = Question::nginx(target).cookie("ada").ask(&app).await;
        assert_eq!(verdict.outcome(), (400, "original_request_invalid".to_owned()), "{target}");
    }
    for method in ["GET /", "G,T", "é"] {
        let verdict = Question::nginx_about(method, "/").cookie("ada").ask(&app).await;
        assert_eq!(verdict.outcome(), (400, "original_request_invalid".to_owned()), "{method}");
    }
}

#[tokio::test]
async fn envoy_may_ask_about_any_path_and_method() {
    let app = app();
    for (method, target) in
        [("GET", "/"), ("POST", "/a"), ("DELETE", "/a/b%2Fc?d=/e"), ("GET", "//a"), ("PURGE", "/jwks.json")]
    {
        let signed_in = Question::envoy(method, target).cookie("ada").ask(&app).await;
        assert_eq!(signed_in.status, 200, "{target}");
        assert_eq!(Question::envoy(method, target).ask(&app).await.status, 401, "{target}");
    }
}
