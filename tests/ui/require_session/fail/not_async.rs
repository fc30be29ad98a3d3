use auth_proxy::{auth_proxy, require_session};

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

#[require_session]
fn plain() {}

#[require_session]
const fn constant() -> u8 { 1 }

#[require_session]
unsafe fn dangerous() -> u8 { 1 }

fn main() {}

// first: 8:4 `plain`
