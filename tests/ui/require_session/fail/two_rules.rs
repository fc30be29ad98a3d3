use auth_proxy::{auth_proxy, require_session};

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

#[require_session(Auth, role("admin"), max_age(10m))]
async fn page() -> &'static str {
    "ok"
}

fn main() {}

// first: 7:40 `max_age(10m)`
// advice: none: whether both or one of them has to allow is a choice
