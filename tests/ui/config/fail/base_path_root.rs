use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        base_path: "/",
        upstream: { base_url: "http://auth" },
    }
}

fn main() {}

// first: 5:20 `"/"`
