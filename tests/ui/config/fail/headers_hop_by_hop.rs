use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth", headers: { "Connection": "close", "Transfer-Encoding": "chunked" } },
    }
}

fn main() {}

// first: 5:57 `"Connection"`
