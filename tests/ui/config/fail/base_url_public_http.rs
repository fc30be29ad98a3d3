use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth.example.com" },
    }
}

fn main() {}

// first: 5:31 `"http://auth.example.com"`
