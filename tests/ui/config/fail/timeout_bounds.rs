use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth", timeout: 1h },
    }
}

fn main() {}

// first: 5:55 `1h`
