use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        public_url: "https://app.example.com/login",
        upstream: { base_url: "http://auth" },
    }
}

fn main() {}

// first: 5:21 `"https://app.example.com/login"`
