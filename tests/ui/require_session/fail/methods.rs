use std::sync::Arc;

use auth_proxy::{auth_proxy, require_session};

auth_proxy! {
    pub struct Login { upstream: { base_url: "http://auth" } }
}

struct Admin;

struct Pages;

impl Pages {
    #[require_session(Login)]
    async fn by_reference(&self) {}

    #[require_session(Login, Admin)]
    async fn in_an_arc(self: Arc<Self>) {}
}

fn main() {}

// first: 15:27 `&self`
// advice: none: a free function or an argument is a choice
