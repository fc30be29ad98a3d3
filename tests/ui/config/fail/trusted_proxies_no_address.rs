use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        trusted_proxies: ["10.0.0.0/8", "proxy.internal"],
        upstream: { base_url: "http://auth" },
    }
}

fn main() {}

// first: 5:41 `"proxy.internal"`
// advice: none: only the user knows the address of a host
