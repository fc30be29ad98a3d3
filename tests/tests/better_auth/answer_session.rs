//! `session.answer_session: cached` before a real server.

use std::time::Duration;

use auth_proxy::options::AnswerSession;
use auth_proxy_tests::Answer;
use serde_json::{Value, json};

use crate::proxy::{FrontDoor, front_door};
use crate::server::{SECRET, VERSIONS};

const HOUR: Duration = Duration::from_secs(3600);
const SESSION: &str = "/api/auth/get-session";

/// Asks for the session 100 times: the last answer, and how often the server was asked.
async fn poll(door: &FrontDoor, visitor: &crate::server::Visitor) -> (Answer, usize) {
    let before = door.lookups().await;
    let mut last = visitor.get(SESSION).await;
    for _ in 0..99 {
        last = visitor.get(SESSION).await;
        assert!(last.cookies().is_empty() && last.status == 200, "{last:?}");
    }
    (last, door.lookups().await - before)
}

fn assert_same(cached: &Answer, real: &Answer) {
    assert_eq!(cached.json(), real.json());
    assert!(cached.json()["user"]["email"].is_string() && cached.json()["session"]["token"] == Value::Null);
    for name in ["content-type", "cache-control", "pragma", "vary"] {
        assert_eq!(cached.header(name), real.header(name), "{name}");
    }
}

#[tokio::test]
async fn polling_visitor_costs_the_server_one_lookup() {
    for version in VERSIONS {
        let door = front_door(json!({ "version": version }), |auth| {
            auth.session_cache(HOUR).session_answer_session(AnswerSession::Cached)
        })
        .await;
        let visitor = door.visitor();
        assert_eq!(visitor.get(SESSION).await.body, "null");
        visitor.sign_up("ada").await;
        let (cached, asked) = poll(&door, &visitor).await;
        assert_eq!(asked, 1, "{version}");
        assert_same(&cached, &visitor.get(&format!("{SESSION}?disableRefresh=true")).await);
        visitor.post("/update-user", json!({ "name": "Grace" })).await;
        assert_eq!(visitor.get(SESSION).await.json()["user"]["name"], "Grace", "{version}");
        visitor.sign_out().await;
        assert_eq!(visitor.get(SESSION).await.body, "null", "{version}");
    }
}

/// `customSession` may take out of each answer what the copy in the cookies has, so the copy is not shown to pages.
#[tokio::test]
async fn copy_in_a_cookie_cache_is_not_shown_to_pages() {
    for version in VERSIONS {
        let options = json!({ "version": version, "cookieCache": { "strategy": "compact" } });
        let door = front_door(options, |auth| {
            auth.upstream_secret([SECRET]).session_cache(HOUR).session_answer_session(AnswerSession::Cached)
        })
        .await;
        let visitor = door.visitor();
        visitor.sign_up("ada").await;
        let before = door.lookups().await;
        for _ in 0..5 {
            assert_eq!(visitor.get(SESSION).await.json()["user"]["email"], "ada@example.com");
        }
        assert_eq!(door.lookups().await - before, 5, "{version}");
    }
}

/// In an outage of the database, the page gets the known session or an error, and never `null`.
#[tokio::test]
async fn outage_of_the_database_signs_no_page_out() {
    let door = front_door(json!({ "version": "1.7" }), |auth| {
        let auth = auth.session_cache(HOUR).upstream_retries(0).upstream_circuit_breaker(0);
        auth.session_answer_session(AnswerSession::Cached)
    })
    .await;
    let (known, unknown) = (door.visitor(), door.visitor());
    known.sign_up("ada").await;
    unknown.sign_up("bob").await;
    known.get(SESSION).await;
    door.server.database(false).await;
    assert_eq!(known.get(SESSION).await.json()["user"]["email"], "ada@example.com");
    let answer = unknown.get(SESSION).await;
    assert!(answer.status >= 500 && answer.cookies().is_empty(), "{answer:?}");
    door.server.database(true).await;
    assert_eq!(unknown.get(SESSION).await.json()["user"]["email"], "bob@example.com");
}
