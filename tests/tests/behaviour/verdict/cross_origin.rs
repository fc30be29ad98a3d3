//! Writes that a page of another origin sends.

use super::{Question, builder};

#[tokio::test]
async fn write_of_another_origin_is_refused_if_that_is_asked_for() {
    let auth = builder().build().unwrap();
    let (off, on) = (auth.verdict().router(), auth.verdict().refuse_cross_origin().router());
    let evil = |question: Question| question.cookie("ada").with("sec-fetch-site", "cross-site");
    for method in ["POST", "PUT", "DELETE", "PATCH", "PURGE"] {
        assert_eq!(evil(Question::nginx_about(method, "/pay")).ask(&off).await.status, 200);
        let verdict = evil(Question::nginx_about(method, "/pay")).ask(&on).await;
        assert_eq!(verdict.outcome(), (403, "cross_origin_refused".to_owned()), "{method}");
    }
    assert_eq!(evil(Question::nginx("/pay")).ask(&on).await.status, 200);
    let own = Question::nginx_about("POST", "/pay").cookie("ada").with("sec-fetch-site", "same-origin");
    assert_eq!(own.ask(&on).await.status, 200);
    let origin = |origin| Question::nginx_about("POST", "/pay").cookie("ada").with("origin", origin);
    assert_eq!(origin("https://evil.example").ask(&on).await.status, 403);
    assert_eq!(origin("https://app.example.com").ask(&on).await.status, 200);
    let bearer = Question::nginx_about("POST", "/pay").with("authorization", "Bearer ada");
    assert_eq!(bearer.with("origin", "https://evil.example").ask(&on).await.status, 200);
}

/// The question about a WebSocket is a GET without `Upgrade`, which is hop-by-hop.
#[tokio::test]
async fn web_socket_of_another_origin_is_refused() {
    let app = builder().build().unwrap().verdict().refuse_cross_origin().router();
    let handshake = |origin| {
        let question = Question::nginx("/socket").cookie("ada").with("origin", origin);
        question.with("sec-websocket-version", "13").with("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA==")
    };
    assert_eq!(handshake("https://evil.example").ask(&app).await.status, 403);
    assert_eq!(handshake("https://app.example.com").ask(&app).await.status, 200);
}
