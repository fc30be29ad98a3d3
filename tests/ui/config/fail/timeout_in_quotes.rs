use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth", timeout: "5s" },
    }
}

fn main() {}

// first: 5:55 `"5s"`
