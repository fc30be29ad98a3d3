use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        trusted_proxies: [10],
        upstream: { base_url: "http://auth" },
    }
}

fn main() {}

// first: 5:27 `10`
