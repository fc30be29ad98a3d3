use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        cors: { origins: ["*"] },
        upstream: { base_url: "http://auth" },
        origins: ["https://app.example.com"],
    }
}

fn main() {}

// first: 5:27 `"*"`
