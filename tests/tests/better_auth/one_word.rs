//! An app that moves from next-auth v4 to Better Auth changes one word of its declaration.

use auth_proxy_tests::process::{Process, node};
use auth_proxy_tests::{Answer, App, Browser, free_port};
use serde_json::{Value, json};

use crate::server::{BetterAuthServer, SECRET, Visitor, email};

/// The same app, before and after.
macro_rules! app {
    ($name:ident, $kind:ident) => {
        #[expect(dead_code, reason = "only the builder is used")]
        mod $name {
            use auth_proxy::{Session, Token, auth_proxy, require_session};
            use axum::{Json, Router, routing::get};

            auth_proxy! {
                pub(super) struct Auth {
                    upstream: { base_url: env("AUTH_UPSTREAM_URL"), secret: env("AUTH_SECRET"), kind: $kind },
                }
            }

            async fn me(session: Session<Auth>) -> Json<Session<Auth>> {
                Json(session)
            }

            async fn home(session: Option<Session<Auth>>) -> String {
                let name = session.as_ref().and_then(|session| session.user.name.as_deref());
                name.unwrap_or("a guest").to_owned()
            }

            async fn mail(token: Token<Auth>) -> String {
                token.email.clone().unwrap_or_default()
            }

            #[require_session]
            async fn dashboard() -> &'static str {
                "the dashboard"
            }

            pub(super) fn router(upstream: &str, secret: &str) -> Router {
                let auth = Auth::builder().vars([("AUTH_UPSTREAM_URL", upstream), ("AUTH_SECRET", secret)]);
                let auth = auth.build().unwrap();
                let router = Router::new()
                    .route("/me", get(me))
                    .route("/home", get(home))
                    .route("/mail", get(mail))
                    .route("/dashboard", get(dashboard));
                auth.attach(router).with_state(auth)
            }
        }
    };
}

app!(before, next_auth_v4);
app!(after, better_auth);

#[tokio::test]
async fn move_from_next_auth_v4_changes_one_word() {
    let old = Process::start(node("server-v4.mjs").env("AUTH_SECRET", SECRET));
    let app = App::start(before::router(&format!("http://127.0.0.1:{}", old.port("port")), SECRET)).await;
    let browser = Browser::of(&app);
    assert_guest(&browser).await;
    browser.sign_in("demo", "demo").await;
    assert_known(&browser, "Demo", "demo@example.com").await;
    browser.sign_out().await;
    assert_guest(&browser).await;

    let port = free_port();
    let own = format!("http://127.0.0.1:{port}");
    let new = BetterAuthServer::start(json!({ "baseURL": own }));
    let _app = App::start_at(port, after::router(new.url(), SECRET)).await;
    let visitor = Visitor::at(&own);
    assert_guest(&visitor.browser).await;
    visitor.sign_up("ada").await;
    assert_known(&visitor.browser, "ada", &email("ada")).await;
    visitor.sign_out().await;
    assert_guest(&visitor.browser).await;
}

async fn assert_guest(browser: &Browser) {
    for path in ["/me", "/mail", "/dashboard"] {
        assert_eq!(browser.get(path).await.status, 401, "{path}");
    }
    assert_eq!(browser.get("/home").await.body, "a guest");
    // A browser that opens the page is sent to sign in.
    let page = [("accept", "text/html"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    let answer = browser.get_with("/dashboard", &page).await;
    assert_eq!(answer.status, 303, "{answer:?}");
}

async fn assert_known(browser: &Browser, name: &str, mail: &str) {
    let session = browser.get("/me").await.json();
    let user = |field: &str| session["user"][field].clone();
    assert_eq!((user("name"), user("email")), (json!(name), json!(mail)), "{session}");
    assert!(session["expires"].as_str().is_some_and(|expires| expires.ends_with('Z')), "{session}");
    assert_eq!(Value::Null, session["session"]["token"], "{session}");
    for (path, body) in [("/home", name), ("/mail", mail), ("/dashboard", "the dashboard")] {
        let answer: Answer = browser.get(path).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, body), "{path}");
    }
}
