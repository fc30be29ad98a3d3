use auth_proxy::{auth_proxy, require_session};

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

struct NotAPolicy;

#[require_session(Auth, NotAPolicy)]
#[axum::debug_handler(state = Auth)]
async fn page() -> &'static str {
    "ok"
}

fn main() {}

// first: 9:25 `NotAPolicy`
