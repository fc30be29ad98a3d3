use auth_proxy::{auth_proxy, require_session};

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

#[axum::debug_handler(state = Auth)]
#[require_session]
async fn page() -> &'static str {
    "ok"
}

fn main() {}

// first: 9:10 `page`
// advice: rustc: axum calls the function before the guard is added
