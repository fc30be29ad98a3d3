use auth_proxy::{auth_proxy, require_session};

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

struct NotAPolicy;

#[require_session(Auth, all(role("admin"), NotAPolicy))]
async fn page() -> &'static str {
    "ok"
}

fn main() {}

// first: 9:44 `NotAPolicy`
