use auth_proxy::{auth_proxy, require_session};

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

trait Pages {
    #[require_session]
    async fn page() -> &'static str;
}

fn main() {}

// first: 9:5 `async fn page() -> &'static str`
// advice: none: which function is the handler is a choice
