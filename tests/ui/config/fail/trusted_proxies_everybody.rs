use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        trusted_proxies: ["0.0.0.0/0"],
        upstream: { base_url: "http://auth" },
    }
}

fn main() {}

// first: 5:27 `"0.0.0.0/0"`
// advice: none: only the user knows the proxies
