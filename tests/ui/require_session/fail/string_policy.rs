use auth_proxy::{auth_proxy, require_session};

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

#[require_session(Auth, "admin")]
async fn page() {}

fn main() {}

// The policy of the advice.
struct Admin;

impl auth_proxy::Policy<Auth> for Admin {
    fn allow(_: &auth_proxy::Session<Auth>, _: Option<&auth_proxy::Token<Auth>>) -> bool {
        true
    }
}

// first: 7:25 `"admin"`
