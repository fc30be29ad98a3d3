use auth_proxy::{auth_proxy, require_session};

auth_proxy! {
    struct Auth { upstream: { base_url: "http://auth" } }
}

struct Admin;

#[require_session(Auth, Admin)]
async fn reports() -> &'static str {
    "ok"
}

#[require_session(Admin)]
async fn figures() -> &'static str {
    "ok"
}

fn main() {}

// first: 9:25 `Admin`
