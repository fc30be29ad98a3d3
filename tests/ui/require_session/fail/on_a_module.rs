use auth_proxy::{auth_proxy, require_session};

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

#[require_session]
mod pages {}

fn main() {}

// first: 8:1 `mod`
// advice: none: which functions are handlers is a choice
