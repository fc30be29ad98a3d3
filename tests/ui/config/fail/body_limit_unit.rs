use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth", body_limit: 1MB },
    }
}

fn main() {}

// first: 5:58 `1MB`
