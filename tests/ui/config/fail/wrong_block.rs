use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        timeout: 5s,
        upstream: { base_url: "http://auth", unauthenticated: auto, source: local },
    }
}

fn main() {}

// first: 5:9 `timeout`
