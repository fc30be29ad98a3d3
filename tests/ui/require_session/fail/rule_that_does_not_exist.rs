use auth_proxy::{auth_proxy, require_session};

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

#[require_session(Auth, department("sales"))]
async fn page() -> &'static str {
    "ok"
}

fn main() {}

// first: 7:25 `department`
// advice: none: which rule it is to be is a choice
