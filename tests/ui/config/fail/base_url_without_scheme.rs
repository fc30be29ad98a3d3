use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "auth.example.com" },
    }
}

fn main() {}

// first: 5:31 `"auth.example.com"`
