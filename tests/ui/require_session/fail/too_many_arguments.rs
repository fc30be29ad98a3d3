use auth_proxy::{auth_proxy, require_session};

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

struct A;

#[require_session(Auth, A, A)]
async fn page() -> &'static str {
    "ok"
}

fn main() {}

// first: 9:28 `A`
