use auth_proxy::{auth_proxy, require_session};

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

struct Pages;

impl Pages {
    #[require_session]
    async fn page(&self) -> &'static str {
        "ok"
    }
}

fn main() {}

// first: 11:19 `&self`
// advice: none: a free function or an argument is a choice
