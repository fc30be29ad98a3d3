//! Attack 4b: between a sign-out and the response that it overtook, the session was renewed many times.

use std::sync::Arc;
use std::time::Duration;

use auth_proxy::options::SessionStrategy;
use auth_proxy::{Session, options::Builder};
use auth_proxy_tests::{App, COOKIE_NAME};
use axum::Router;
use axum::routing::get;
use tokio::task::JoinHandle;

use crate::support::{Auth, Upstream, auth, me};

/// More than the tokens that are remembered for one session.
const MANY: usize = 12;

struct Stage {
    upstream: Arc<Upstream>,
    app: Arc<App>,
    _server: App,
}

impl Stage {
    async fn start(options: impl FnOnce(Builder<Auth>) -> Builder<Auth>) -> Self {
        let upstream = Upstream::new(COOKIE_NAME, SessionStrategy::Jwt);
        let server = upstream.start().await;
        let auth = options(auth(&server, SessionStrategy::Jwt)).build().unwrap();
        let slow = {
            let upstream = Arc::clone(&upstream);
            async move |_: Session<Auth>| {
                upstream.held.add_permits(1);
                upstream.gate.acquire().await.unwrap().forget();
            }
        };
        let router = Router::new().route("/me", get(me)).route("/slow", get(slow));
        let app = App::start(auth.attach(router).with_state(auth.clone())).await;
        Self { upstream, app: Arc::new(app), _server: server }
    }

    /// Begins a request whose handler waits for the gate. Handlers pass the gate in the order of their arrival.
    async fn begin_slow(&self, token: &str) -> JoinHandle<Option<String>> {
        let (app, head) = (Arc::clone(&self.app), format!("Cookie: {COOKIE_NAME}={token}\r\n"));
        let slow = tokio::spawn(async move { set_token(&app.raw_get("/slow", &head).await.1) });
        self.upstream.held.acquire().await.unwrap().forget();
        slow
    }

    /// A quick request. Returns the token that the browser has afterwards.
    async fn quick(&self, token: &str) -> String {
        let (status, answer) = self.app.raw_get("/me", &format!("Cookie: {COOKIE_NAME}={token}\r\n")).await;
        assert_eq!(status, 200, "{answer}");
        set_token(&answer).unwrap_or_else(|| token.to_owned())
    }

    async fn sign_out(&self, token: &str) {
        let head = "POST /api/auth/signout HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
        let cookie = format!("Cookie: {COOKIE_NAME}={token}\r\nContent-Length: 0\r\n\r\n");
        let answer = self.app.raw(&format!("{head}{cookie}")).await;
        assert_eq!(set_token(&answer).as_deref(), Some(""), "{answer}");
    }
}

/// The value of the session cookie that a response sets. Empty if it is cleared.
fn set_token(answer: &str) -> Option<String> {
    let (_, rest) = answer.split_once(&format!("set-cookie: {COOKIE_NAME}="))?;
    rest.split(';').next().map(str::to_owned)
}

/// Two slow requests are under way while the browser makes many quick ones. The first slow response gives the browser a
/// token that is older than those of the quick ones, and the visitor signs out with it.
#[tokio::test]
async fn sign_out_with_an_old_renewal_ends_the_session() {
    let stage = Stage::start(|builder| builder).await;
    let first = stage.upstream.issue("ada");
    let (slow, slower) = (stage.begin_slow(&first).await, stage.begin_slow(&first).await);
    let mut token = first;
    for _ in 0..MANY {
        token = stage.quick(&token).await;
    }
    stage.upstream.gate.add_permits(1);
    let token = slow.await.unwrap().expect("a renewed cookie");
    stage.sign_out(&token).await;
    stage.upstream.gate.add_permits(1);
    assert_eq!(slower.await.unwrap().map(|_| "a cookie"), None, "the sign-out was undone");
}

/// With `session.renew` most renewals do not reach the browser. They must not push out the token that it has.
#[tokio::test]
async fn renewals_that_are_not_relayed_do_not_hide_the_token_of_the_browser() {
    let stage = Stage::start(|builder| builder.session_renew(Duration::from_secs(3600))).await;
    let first = stage.upstream.issue("ada");
    let slow = stage.begin_slow(&first).await;
    let token = stage.quick(&first).await;
    for _ in 0..MANY {
        assert_eq!(stage.quick(&token).await, token);
    }
    stage.sign_out(&token).await;
    stage.upstream.gate.add_permits(1);
    assert_eq!(slow.await.unwrap().map(|_| "a cookie"), None, "the sign-out was undone");
}
