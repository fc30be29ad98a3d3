use auth_proxy::{require_session, auth_proxy};
use axum::Router;
use axum::routing::get;

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

#[require_session(Login)]
async fn proxy() {}

#[require_session(Auth, Admn)]
async fn policy() {}

#[require_session(Auth, crate = ::login)]
async fn krate() {}

fn main() {
    let _: Router<Auth> = Router::new().route("/", get(proxy)).route("/policy", get(policy)).route("/crate", get(krate));
}

// first: 15:35 `login`
// advice: rustc: names that are not in scope
