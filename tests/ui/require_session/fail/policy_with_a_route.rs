use auth_proxy::{require_session, auth_proxy};
use axum::Router;
use axum::routing::get;

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

struct Admin;

#[require_session(Auth, Admin)]
async fn reports() -> &'static str {
    "ok"
}

fn main() {
    let _: Router<Auth> = Router::new().route("/", get(reports));
}

// first: 11:25 `Admin`
