use auth_proxy::{auth_proxy, require_session};

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

#[require_session]
struct Page;

fn main() {}

// first: 8:1 `struct`
// advice: none: which function is the handler is a choice
