use auth_proxy::{Session, auth_proxy};
use axum::debug_handler;

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

#[debug_handler]
async fn optional(_session: Option<Session<Auth>>) {}

fn main() {}

// first: 9:29 `Option`
// advice: rustc: the bound is that of axum's `Option`
