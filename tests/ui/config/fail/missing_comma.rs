use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        base_path: "/api/auth"
        upstream: { base_url: "http://auth" },
    }
}

fn main() {}

// first: 6:9 `upstream`
