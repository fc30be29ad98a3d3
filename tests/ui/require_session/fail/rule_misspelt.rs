use auth_proxy::{auth_proxy, require_session};

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

#[require_session(Auth, rol("admin"))]
async fn page() -> &'static str {
    "ok"
}

fn main() {}

// first: 7:25 `rol`
