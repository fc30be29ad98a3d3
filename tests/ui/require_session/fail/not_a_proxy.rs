use auth_proxy::{auth_proxy, require_session};

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

struct NotAProxy;

#[require_session(NotAProxy)]
#[axum::debug_handler(state = Auth)]
async fn page() -> &'static str {
    "ok"
}

fn main() {}

// first: 9:19 `NotAProxy`
