use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth", headers: { "x-api-key": "a", "X-Api-Key": "b" } },
    }
}

fn main() {}

// first: 5:75 `"X-Api-Key"`
