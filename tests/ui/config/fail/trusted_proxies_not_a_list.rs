use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        trusted_proxies: "10.0.0.0/8",
        upstream: { base_url: "http://auth" },
    }
}

fn main() {}

// first: 5:26 `"10.0.0.0/8"`
