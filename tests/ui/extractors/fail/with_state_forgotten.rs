use auth_proxy::{Session, auth_proxy};
use axum::Router;
use axum::routing::get;

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

async fn me(_session: Session<Auth>) {}

fn main() {
    let auth = Auth::from_env().unwrap();
    let _: Router = auth.attach(Router::new().route("/", get(me)));
}

// first: 13:58 `get(me)`
// advice: rustc: the type of a router is of axum
