use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth" },
        ..Default::default()
    }
}

fn main() {}

// first: 6:9 `..Default::default()`
