//! Audit events of sign-ins and sign-outs at real Better Auth servers.

use std::time::Duration;

use auth_proxy_tests::{Events, settles};
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::json;

use crate::proxy::front_door;
use crate::server::{SECRET, VERSIONS, email};

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
        assert!(settles(|| events.all().len() >= 4).await);
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

/// The server sets a session cookie too when an admin impersonates a user, and when a browser changes to another of its
/// sessions. Neither is a sign-in.
#[tokio::test]
async fn switch_to_another_session_is_no_sign_in() {
    for version in VERSIONS {
        let recorder = PrometheusBuilder::new().build_recorder();
        let _guard = metrics::set_default_local_recorder(&recorder);
        let events = Events::default();
        let observer = events.observer();
        let options = json!({ "version": version, "plugins": ["admin", "multi-session"] });
        let door = front_door(options, |auth| auth.observer(observer)).await;
        let (user, admin) = (door.visitor(), door.visitor());
        let id = user.sign_up("ada").await.json()["user"]["id"].clone();
        let own = json!({ "sessionToken": admin.sign_up("root").await.json()["token"] });
        door.server.role(&email("root"), "admin").await;
        let post = async |path: &str, body: serde_json::Value| {
            let answer = admin.post(path, body).await;
            assert_eq!(answer.status, 200, "{version} {path} {answer:?}");
        };
        post("/admin/impersonate-user", json!({ "userId": id })).await;
        post("/admin/stop-impersonating", json!({})).await;
        let bob = json!({ "sessionToken": admin.sign_up("bob").await.json()["token"] });
        post("/multi-session/set-active", own).await;
        post("/multi-session/set-active", bob.clone()).await;
        post("/multi-session/revoke", bob).await;
        assert!(settles(|| events.all().len() >= 8).await, "{version} {:#?}", events.json());
        let seen: Vec<_> = events.json().iter().map(|event| event["by"].clone()).collect();
        let expected = ["form", "form", "switched", "switched", "form", "switched", "switched", "switched"];
        assert_eq!(seen, expected, "{version}");
        let counted = recorder.handle().render();
        let sign_ins = counted.lines().filter(|line| line.starts_with("auth_proxy_sign_ins_total{"));
        assert_eq!(sign_ins.collect::<Vec<_>>(), ["auth_proxy_sign_ins_total{kind=\"form\"} 3"], "{version}");
    }
}
