use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        base-path: "/auth",
        upstream: { base-url: "http://auth", token: encrypted-v4 },
    }
}

fn main() {}

// first: 5:9 `base-path`
