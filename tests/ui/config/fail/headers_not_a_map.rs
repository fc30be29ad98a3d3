use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth", headers: "x-api-key" },
    }
}

fn main() {}

// first: 5:55 `"x-api-key"`
