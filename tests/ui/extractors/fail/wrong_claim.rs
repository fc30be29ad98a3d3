use auth_proxy::{Token, auth_proxy};

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

async fn handler(token: Token<Auth>) -> Option<String> {
    token.subject.clone()
}

fn main() {
    let _ = handler;
}

// first: 8:11 `subject`
// advice: rustc: a field that the type does not have
