use auth_proxy::auth_proxy;

auth_proxy! {
    #[derive(Clone, Debug)]
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

fn main() {}

// first: 4:14 `Clone`
