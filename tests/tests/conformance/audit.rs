//! Audit events of sign-ins and sign-outs at real Auth.js and next-auth servers.

use auth_proxy::options::{SessionStrategy, UpstreamKind};
use auth_proxy_tests::{App, Browser, Events};
use axum::Router;
use serde_json::json;

use crate::server::{SECRET, Server};

auth_proxy::auth_proxy! {
    struct Auth { upstream: { kind: authjs, base_url: env("URL") } }
}

#[tokio::test]
async fn each_sign_in_and_sign_out_has_an_event_with_its_user() {
    let v4 = Server::v4(&[("ISSUER", "http://127.0.0.1:9")]);
    let authjs = Server::start(SessionStrategy::Jwt, "/api/auth", 0);
    for (server, kind) in [(authjs, UpstreamKind::Authjs), (v4, UpstreamKind::NextAuthV4)] {
        let events = Events::default();
        let builder = Auth::builder().upstream_base_url(&server.url).upstream_kind(kind);
        let auth = builder.upstream_secret([SECRET]).observer(events.observer()).build().unwrap();
        let app = App::start(auth.attach(Router::new()).with_state(auth.clone())).await;
        let browser = Browser::of(&app);
        browser.sign_in("demo", "wrong").await;
        for _ in 0..2 {
            browser.sign_in("demo", "demo").await;
            browser.sign_out().await;
        }
        // It has no session to end.
        browser.get("/api/auth/session").await;
        auth.events_delivered().await;
        let seen = events.json();
        let session = |at: usize| &seen[at]["session"];
        let event = |at: usize, name: &str| json!({ "event": name, "subject": "1", "session": session(at), "client": "127.0.0.1" });
        let signed_in = |at| {
            let mut event = event(at, "signed_in");
            event["by"] = json!("form");
            event
        };
        let expected = [signed_in(0), event(1, "signed_out"), signed_in(2), event(3, "signed_out")];
        assert_eq!(seen, expected, "{kind}");
        assert!(
            session(0) == session(1) && session(2) == session(3) && session(0) != session(2),
            "{seen:#?}"
        );
    }
}
