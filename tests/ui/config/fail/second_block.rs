use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth" },
        upstream: { timeout: 5 },
    }
}

fn main() {}

// first: 6:9 `upstream`
