use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        base_path:
        upstream: {
            base_url:
            timeout: 5s,
        },
    }
}

fn main() {}

// first: 5:9 `base_path`
