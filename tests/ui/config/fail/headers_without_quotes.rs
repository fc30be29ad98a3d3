use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth", headers: { x-api-key: "a" } },
    }
}

fn main() {}

// first: 5:57 `x-api-key`
