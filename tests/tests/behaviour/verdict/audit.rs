//! What the endpoint refuses is an audit event, and counted.

use auth_proxy::rules::role;
use auth_proxy::verdict::PathRules;
use auth_proxy_tests::Events;
use serde_json::json;

use super::{Question, builder};
use crate::metrics::{recorder, samples, sum};

const CLIENT: (&str, &str) = ("x-forwarded-for", "198.51.100.1, 203.0.113.9");

#[tokio::test]
async fn refusal_is_reported_with_the_client_address_of_the_proxy() {
    let events = Events::default();
    let auth = builder().observer(events.observer()).build().unwrap();
    let app = auth.verdict().router();
    let ask = async |question: Question| {
        question.with(CLIENT.0, CLIENT.1).ask(&app).await;
    };
    ask(Question::nginx("/")).await;
    ask(Question::nginx("/").cookie("ada")).await;
    ask(Question::nginx("/").cookie("refused")).await;
    // An outage refuses nobody.
    ask(Question::nginx("/").cookie("down")).await;
    auth.events_delivered().await;
    let seen = events.json();
    let refused = json!({ "event": "refused", "client": "203.0.113.9" });
    let (mut absent, mut invalid) = (refused.clone(), refused);
    (absent["outcome"], absent["code"]) = (json!("absent"), json!("session_absent"));
    (invalid["outcome"], invalid["code"]) = (json!("invalid"), json!("session_refused"));
    invalid["session"] = seen[1]["session"].clone();
    assert_eq!(seen, [absent, invalid]);
}

/// A guard that the endpoint has not reached makes no event of its own.
#[tokio::test]
async fn refusal_by_origin_or_path_is_reported_once_and_only_that_by_path_is_counted() {
    let (recorder, handle) = recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let events = Events::default();
    let auth = builder().observer(events.observer()).build().unwrap();
    let rules = PathRules::new().require("/admin/**", role("admin")).unwrap();
    let app = auth.verdict().rules(rules).refuse_cross_origin().router();
    let write = Question::nginx_about("POST", "/admin").with("origin", "https://evil.example");
    let write = write.with("sec-fetch-site", "cross-site").cookie("ada").with(CLIENT.0, CLIENT.1);
    assert_eq!(write.ask(&app).await.outcome(), (403, "cross_origin_refused".to_owned()));
    let ambiguous = Question::nginx("/ADMIN").cookie("ada").with(CLIENT.0, CLIENT.1);
    assert_eq!(ambiguous.ask(&app).await.outcome(), (400, "path_ambiguous".to_owned()));
    auth.events_delivered().await;
    let seen = events.json();
    let session = &seen[0]["session"];
    assert!(session.is_string(), "{seen:#?}");
    let client = "203.0.113.9";
    assert_eq!(
        seen,
        [
            json!({ "event": "cross_origin_refused", "client": client, "session": session }),
            json!({
                "event": "refused", "outcome": "bad_request", "code": "path_ambiguous", "client": client,
                "session": session,
            }),
        ]
    );
    let counted = samples(&handle);
    let ambiguous = r#"guard_decisions_total{outcome="bad_request",code="path_ambiguous"}"#;
    assert_eq!(counted.get(ambiguous), Some(&1.0), "{counted:#?}");
    assert_eq!(sum(&counted, "guard_decisions_total"), 1.0, "{counted:#?}");
}
