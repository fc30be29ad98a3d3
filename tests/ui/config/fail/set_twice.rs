use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        base_path: "/a",
        base_path: "/b",
        upstream: { base_url: "http://auth" },
    }
}

fn main() {}

// first: 6:9 `base_path`
