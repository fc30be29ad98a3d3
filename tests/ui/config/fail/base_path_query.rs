use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        base_path: "/api/auth?x=1",
        upstream: { base_url: "http://auth" },
    }
}

fn main() {}

// first: 5:20 `"/api/auth?x=1"`
