use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
    pub struct Other { upstream: { base_url: "http://auth" } }
}

fn main() {}

// first: 5:5 `pub`
