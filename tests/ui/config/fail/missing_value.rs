use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        base_path: ,
        upstream: { base_url: "http://auth", timeout: },
    }
}

fn main() {}

// first: 5:9 `base_path`
