use auth_proxy::{{RawToken, Session, Token, require_session}, auth_proxy};
use axum::Router;
use axum::routing::get;

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

#[derive(Clone)]
struct App;

async fn session(_session: Session<Auth>) {}

async fn optional(_session: Option<Session<Auth>>) {}

async fn token(_token: Token<Auth>) {}

async fn raw(_token: RawToken<Auth>) {}

#[require_session]
async fn guarded() {}

fn main() {
    let _: Router = Router::new().route("/", get(session)).with_state(App);
    let _: Router = Router::new().route("/", get(optional)).with_state(App);
    let _: Router = Router::new().route("/", get(token)).with_state(App);
    let _: Router = Router::new().route("/", get(raw)).with_state(App);
    let _: Router = Router::new().route("/", get(guarded)).with_state(App);
}

// first: 24:71 `App`
// advice: rustc: the type of a router is of axum
