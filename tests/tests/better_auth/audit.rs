//! Audit events of sign-ins and sign-outs at real Better Auth servers.

use std::time::Duration;

use auth_proxy_tests::Events;
use serde_json::json;

use crate::proxy::front_door;
use crate::server::{SECRET, VERSIONS};

#[tokio::test]
async fn each_sign_up_sign_in_and_sign_out_has_an_event() {
    for version in VERSIONS {
        let events = Events::default();
        let observer = events.observer();
        let door = front_door(json!({ "version": version }), |auth| {
            auth.upstream_secret([SECRET]).session_cache(Duration::from_secs(60)).observer(observer)
        })
        .await;
        let visitor = door.visitor();
        let id = visitor.sign_up("ada").await.json()["user"]["id"].clone();
        assert_eq!(visitor.get("/session").await.status, 200);
        visitor.sign_out().await;
        let wrong = json!({ "email": "ada@example.com", "password": "another password" });
        assert_eq!(door.visitor().post("/sign-in/email", wrong).await.status, 401);
        assert_eq!(visitor.sign_in("ada").await.status, 200);
        visitor.sign_out().await;
        assert!(auth_proxy_tests::settles(|| events.all().len() >= 4).await);
        let seen = events.json();
        let session = |at: usize| &seen[at]["session"];
        let event =
            |at: usize, name: &str| json!({ "event": name, "session": session(at), "client": "127.0.0.1" });
        let signed_in = |at: usize| {
            let mut event = event(at, "signed_in");
            event["by"] = json!("form");
            event
        };
        // The cache has the session of the first visit, and so its user.
        let mut signed_out = event(1, "signed_out");
        signed_out["subject"] = id;
        assert_eq!(seen, [signed_in(0), signed_out, signed_in(2), event(3, "signed_out")], "{version}");
        assert!(
            session(0) == session(1) && session(2) == session(3) && session(0) != session(2),
            "{seen:#?}"
        );
    }
}
