use auth_proxy::auth_proxy;

auth_proxy! {
    pub enum Auth { upstream: { base_url: "http://auth" } }
}

fn main() {}

// first: 4:9 `enum`
