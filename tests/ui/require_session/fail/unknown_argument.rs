use auth_proxy::{auth_proxy, require_session};

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

#[require_session(role = "admin")]
async fn page() -> &'static str {
    "ok"
}

fn main() {}

// first: 7:19 `role = "admin"`
