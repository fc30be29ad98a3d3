use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth", session_strategy: database },
        session: { source: local },
    }
}

fn main() {}

// first: 6:28 `local`
