use auth_proxy::{Token, auth_proxy};
use axum::Router;
use axum::routing::get;

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

async fn me(_token: Token<Auth>) {}

fn main() {
    let _: Router = Router::new().route("/", get(me)).with_state(());
}

// first: 12:66 `()`
// advice: rustc: the type of a router is of axum
