use auth_proxy::{Token, auth_proxy};

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

#[axum::debug_handler]
async fn handler(_token: Token<Auth>) {}

fn main() {}

// first: 8:26 `Token`
