use auth_proxy::{auth_proxy, require_session};

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

struct Pages;

#[require_session]
impl Pages {}

fn main() {}

// first: 10:1 `impl`
// advice: none: which functions are handlers is a choice
