//! An app with the proxy in front of a real Better Auth server.

use auth_proxy::options::{Builder, UpstreamKind};
use auth_proxy::sessions::SessionData;
use auth_proxy::{Session, Token, User};
use auth_proxy_tests::{Answer, App, free_port};
use axum::http::HeaderMap;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use crate::server::{BetterAuthServer, Visitor};

auth_proxy::auth_proxy! {
    pub(crate) struct Auth<Claims = Map<String, Value>> { upstream: { base_url: env("URL") } }
}

/// An app on its own origin, and the server behind it.
pub(crate) struct FrontDoor {
    pub(crate) server: BetterAuthServer,
    pub(crate) app: App,
    pub(crate) own: String,
}

impl FrontDoor {
    /// A new visitor without cookies.
    pub(crate) fn visitor(&self) -> Visitor {
        Visitor::at(&self.own)
    }

    /// How many session lookups the server received.
    pub(crate) async fn lookups(&self) -> usize {
        self.server.count("/get-session").await
    }
}

/// Starts a server with these options, and an app before it. The base URL is the origin of the app, unless the options
/// have one.
pub(crate) async fn front_door(
    options: Value,
    configure: impl FnOnce(Builder<Auth>) -> Builder<Auth>,
) -> FrontDoor {
    front_door_at(free_port(), options, BetterAuthServer::start, configure).await
}

/// A front door whose server has a process of its own, which can end.
pub(crate) async fn front_door_alone(
    options: Value,
    configure: impl FnOnce(Builder<Auth>) -> Builder<Auth>,
) -> FrontDoor {
    front_door_at(free_port(), options, BetterAuthServer::alone, configure).await
}

/// A front door on a port that the options already contain.
pub(crate) async fn front_door_at(
    port: u16,
    mut options: Value,
    start: impl FnOnce(Value) -> BetterAuthServer,
    configure: impl FnOnce(Builder<Auth>) -> Builder<Auth>,
) -> FrontDoor {
    let own = format!("http://127.0.0.1:{port}");
    options.as_object_mut().unwrap().entry("baseURL").or_insert(json!(own));
    let server = start(options);
    let kind: UpstreamKind = "better_auth".parse().unwrap();
    let auth = Auth::builder().upstream_kind(kind).upstream_base_url(server.url());
    let auth = configure(auth).build().unwrap();
    let app = App::start_at(port, pages(&auth)).await;
    FrontDoor { server, app, own }
}

pub(crate) fn pages(auth: &Auth) -> Router {
    let router = Router::new()
        .route("/me", get(me))
        .route("/name", get(name))
        .route("/session", get(session))
        .route("/claims", get(claims))
        .route("/protected", get(protected))
        .route("/optional", get(optional))
        .route("/cookies", get(cookies))
        .merge(crate::browser::pages());
    auth.attach(router).with_state(auth.clone())
}

async fn me(session: Session<Auth>) -> String {
    session.user.email.clone().unwrap_or_default()
}

async fn name(session: Session<Auth>) -> String {
    session.user.name.clone().unwrap_or_default()
}

async fn session(session: Session<Auth>) -> Json<Value> {
    let data: &SessionData<User> = &session;
    Json(serde_json::to_value(data).unwrap())
}

async fn claims(token: Token<Auth>) -> Json<Value> {
    Json(Value::Object(Map::clone(&token)))
}

#[auth_proxy::require_session]
async fn protected() -> &'static str {
    "ok"
}

async fn optional(session: Option<Session<Auth>>) -> String {
    session.and_then(|session| session.user.email.clone()).unwrap_or_else(|| "a guest".to_owned())
}

/// The names of the cookies that the browser sent.
async fn cookies(headers: HeaderMap) -> String {
    let pairs = headers.get("cookie").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let names = pairs.split("; ").map(|pair| pair.split('=').next().unwrap());
    names.collect::<Vec<_>>().join(" ")
}

/// The extractors and the guard say that this visitor is signed in as this user.
pub(crate) async fn assert_signed_in(visitor: &Visitor, email: &str) {
    for (path, body) in [("/me", email), ("/optional", email), ("/protected", "ok")] {
        let answer = visitor.get(path).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, body), "{path} {answer:?}");
    }
    let claims = visitor.get("/claims").await;
    assert_eq!((claims.status, &claims.json()["email"]), (200, &json!(email)), "{claims:?}");
}

/// The extractors and the guard say that this visitor is not signed in.
pub(crate) async fn assert_signed_out(visitor: &Visitor) {
    for path in ["/me", "/protected", "/claims"] {
        let answer = visitor.get(path).await;
        assert_eq!(answer.status, 401, "{path} {answer:?}");
    }
    assert_eq!(visitor.get("/optional").await.body, "a guest");
}

/// The answer says that the upstream is not available, and changes no cookie.
pub(crate) fn assert_unavailable(answer: &Answer) {
    assert!((502..=504).contains(&answer.status), "{answer:?}");
    let code = answer.code();
    assert!(code.starts_with("upstream_") || code == "circuit_open", "{answer:?}");
    assert!(answer.header("retry-after").parse::<u64>().is_ok(), "{answer:?}");
    assert!(answer.cookies().is_empty(), "{answer:?}");
}
