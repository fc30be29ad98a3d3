use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        public_url: "https://app.example.com",
        hosts: ["app.example.com"],
        upstream: { base_url: "http://auth" },
    }
}

fn main() {}

// first: 6:16 `["app.example.com"]`
