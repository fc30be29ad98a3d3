use auth_proxy::{auth_proxy, require_session};

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

#[require_session(Auth, all(role(admin), max_age(600)))]
async fn page() -> &'static str {
    "ok"
}

fn main() {}

// first: 7:34 `admin`
