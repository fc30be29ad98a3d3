//! `Either` of a Better Auth server and a next-auth server, with outages and with cookies of both.

use std::time::Duration;

use auth_proxy::options::TokenFormat;
use auth_proxy::testing::{FakeUpstream, Fault, Visitor};
use auth_proxy::{Either, RequireSession, Session, auth_proxy};
use auth_proxy_tests::{App, Browser};
use axum::extract::FromRef;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

auth_proxy! {
    struct New { upstream: { base_url: env("NEW_URL"), kind: better_auth } }
}

auth_proxy! {
    struct Old {
        base_path: "/api/old-auth",
        upstream: { base_url: env("OLD_URL"), base_path: "/api/auth", kind: next_auth_v4 },
    }
}

#[derive(Clone, FromRef)]
struct Both {
    new: New,
    old: Old,
}

type Signed = Either<Session<New>, Session<Old>>;

const OLD_COOKIE: &str = "next-auth.session-token";

struct Stage {
    new: FakeUpstream,
    old: FakeUpstream,
    _app: App,
    browser: Browser,
    visitor: Visitor,
    old_cookie: String,
}

fn name(session: &Signed) -> Json<Value> {
    let side = if matches!(session, Either::Left(_)) { "new" } else { "old" };
    Json(json!([side, session.user.name]))
}

impl Stage {
    /// The app reads the cookie cache of the new server, or asks it for each session.
    async fn start(reads_cache: bool) -> Self {
        auth_proxy_tests::watch::start();
        let new = FakeUpstream::builder()
            .better_auth()
            .cookie_cache(TokenFormat::Compact, Duration::from_secs(300))
            .start()
            .await
            .unwrap();
        let old = FakeUpstream::builder().cookie_name(OLD_COOKIE).start().await.unwrap();
        let mut builder =
            New::builder().upstream_base_url(new.url()).upstream_timeout(Duration::from_millis(700));
        if reads_cache {
            builder = builder.upstream_secret([new.secret()]);
        }
        let both = Both {
            new: builder.build().unwrap(),
            old: Old::builder()
                .upstream_base_url(old.url())
                .upstream_timeout(Duration::from_millis(700))
                .build()
                .unwrap(),
        };
        let router = Router::new()
            .route("/me", get(|session: Signed| async move { name(&session) }))
            .route(
                "/maybe",
                get(|session: Option<Signed>| async move {
                    session.as_ref().map(name).unwrap_or(Json(Value::Null))
                }),
            )
            .route("/guarded", get(|_: Either<RequireSession<New>, RequireSession<Old>>| async { "ok" }));
        let app = App::start(both.new.attach(both.old.attach(router)).with_state(both.clone())).await;
        let visitor = new.visitor(&json!({ "sub": "1", "name": "Ada New", "email": "a@example.com" }));
        let old_cookie = old.cookie(&json!({ "sub": "9", "name": "Ada Old" }));
        Self { browser: Browser::of(&app), new, old, _app: app, visitor, old_cookie }
    }

    async fn ask(&self, path: &str, cookie: &str) -> auth_proxy_tests::Answer {
        self.browser.get_with(path, &[("cookie", cookie)]).await
    }
}

fn names(answer: &auth_proxy_tests::Answer) -> Vec<String> {
    let mut names: Vec<_> =
        answer.cookies().iter().map(|line| line.split('=').next().unwrap().to_owned()).collect();
    names.sort();
    names.dedup();
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outage_of_either_server_is_no_sign_out_and_no_sign_in() {
    let stage = Stage::start(false).await;
    let (new, old) = (stage.visitor.clone().without_session_data().cookie(), stage.old_cookie.clone());
    let both = format!("{new}; {old}");
    let faults = [
        Fault::Refused,
        Fault::InternalError,
        Fault::Overloaded,
        Fault::RateLimited,
        Fault::Html,
        Fault::HangBeforeHead,
    ];
    assert_eq!(stage.ask("/me", &both).await.json(), json!(["new", "Ada New"]));
    for fault in faults {
        stage.new.set_fault(Some(fault)).await.unwrap();
        for path in ["/me", "/maybe", "/guarded"] {
            // The visitor of the new server is not signed out, and keeps the cookie.
            let answer = stage.ask(path, &new).await;
            assert!((502..=504).contains(&answer.status), "{fault:?} {path}: {answer:?}");
            assert_eq!(names(&answer), Vec::<String>::new(), "{fault:?} {path}");
            // The one of the old server is served.
            let answer = stage.ask(path, &old).await;
            assert_eq!(answer.status, 200, "{fault:?} {path}: {answer:?}");
        }
        assert_eq!(stage.ask("/me", &both).await.json(), json!(["old", "Ada Old"]), "{fault:?}");
        stage.new.set_fault(None).await.unwrap();
        tokio::time::sleep(Duration::from_millis(600)).await;

        stage.old.set_fault(Some(fault)).await.unwrap();
        for path in ["/me", "/maybe", "/guarded"] {
            assert_eq!(stage.ask(path, &new).await.status, 200, "{fault:?} {path}");
            assert_eq!(stage.ask(path, &both).await.status, 200, "{fault:?} {path}");
            let answer = stage.ask(path, &old).await;
            assert!((502..=504).contains(&answer.status), "{fault:?} {path}: {answer:?}");
            assert_eq!(names(&answer), Vec::<String>::new(), "{fault:?} {path}");
        }
        stage.old.set_fault(None).await.unwrap();
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
}

#[tokio::test]
async fn cookies_of_both_servers_reach_the_browser() {
    for reads_cache in [false, true] {
        let stage = Stage::start(reads_cache).await;
        let (visitor, old) = (&stage.visitor, &stage.old_cookie);
        let good = visitor.clone().without_session_data().cookie();
        let both = format!("{good}; {old}");
        // Only the first is asked, so only its cookies are renewed.
        let answer = stage.ask("/me", &both).await;
        assert_eq!(names(&answer), ["better-auth.session_data"], "{reads_cache}");
        // The session of the new server is over: its cookies are cleared, and the old one is renewed.
        visitor.revoke();
        let answer = stage.ask("/me", &both).await;
        assert_eq!(answer.json(), json!(["old", "Ada Old"]), "{reads_cache}");
        let found = names(&answer);
        for name in ["better-auth.session_token", "better-auth.session_data", OLD_COOKIE] {
            assert!(found.iter().any(|found| found == name), "{reads_cache} {name}: {found:?}");
        }
        assert!(
            answer.header("cache-control").contains("private")
                || answer.header("cache-control").contains("no-store")
        );
        // A cookie under a wrong signature is no session, and clears nothing of the old server.
        let tampered = format!("{}; {old}", visitor.clone().with_tampered_token().cookie());
        for path in ["/me", "/guarded", "/maybe"] {
            assert_eq!(stage.ask(path, &tampered).await.status, 200, "{reads_cache} {path}");
        }
        // Signed out at both.
        let nothing = format!("{}; {OLD_COOKIE}=a.b.c.d.e", visitor.clone().with_tampered_token().cookie());
        let answer = stage.ask("/maybe", &nothing).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "null"), "{reads_cache}");
    }
}
