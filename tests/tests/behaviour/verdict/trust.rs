//! Only a trusted proxy is answered, and the log says which setting is missing.

use auth_proxy_tests::LogCapture;

use super::{Question, app, builder};

#[tokio::test]
async fn untrusted_peer_is_refused_whatever_it_sends() {
    let app = app();
    for peer in [Some("192.0.2.1:1"), Some("[::1]:1"), Some("127.0.0.1:1"), None] {
        for question in [Question::nginx("/"), Question::traefik("/"), Question::envoy("GET", "/")] {
            let question = question.cookie("ada").page().with("x-forwarded-for", "10.0.0.1");
            let verdict = question.from(peer).ask(&app).await;
            assert_eq!(verdict.status, 403, "{peer:?} {verdict:?}");
            assert!(verdict.identity().is_empty() && verdict.header("location").is_none(), "{verdict:?}");
        }
        let verdict = Question::nginx("/").cookie("ada").from(peer).ask(&app).await;
        assert_eq!(verdict.outcome(), (403, "proxy_untrusted".to_owned()));
    }
    // An IPv4 address may arrive in the form of IPv6.
    let mapped = Question::nginx("/").cookie("ada").from(Some("[::ffff:10.0.0.1]:1")).ask(&app).await;
    assert_eq!(mapped.status, 200);
}

#[tokio::test]
async fn endpoint_without_trusted_proxies_is_closed_and_the_log_names_the_option() {
    let log = LogCapture::start();
    let none: [&str; 0] = [];
    let app = builder().trusted_proxies(none).build().unwrap().verdict().router();
    assert!(log.text().contains("name the proxy that asks in `trusted_proxies`"), "{}", log.text());
    for peer in [Some("127.0.0.1:1"), Some("10.0.0.1:1"), None] {
        let verdict = Question::nginx("/").cookie("ada").from(peer).ask(&app).await;
        assert_eq!(verdict.outcome(), (403, "proxy_untrusted".to_owned()));
    }
    assert!(log.text().contains("127.0.0.1 is not in `trusted_proxies`"), "{}", log.text());
}
