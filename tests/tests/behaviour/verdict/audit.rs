//! What the endpoint refuses is an audit event, and counted.

use auth_proxy_tests::Events;
use serde_json::json;

use super::{Question, builder};

#[tokio::test]
async fn refusal_is_reported_with_the_client_address_of_the_proxy() {
    let events = Events::default();
    let auth = builder().observer(events.observer()).build().unwrap();
    let app = auth.verdict().router();
    let ask = async |question: Question| {
        question.with("x-forwarded-for", "198.51.100.1, 203.0.113.9").ask(&app).await;
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
