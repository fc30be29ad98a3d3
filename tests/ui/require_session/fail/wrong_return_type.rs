use auth_proxy::{auth_proxy, require_session};

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

#[require_session]
async fn page() -> &'static str {
    5
}

fn main() {}

// first: 9:5 `5`
// advice: rustc: the body is the user's
