use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "https://auth.example.com?a=b" },
    }
}

fn main() {}

// first: 5:31 `"https://auth.example.com?a=b"`
