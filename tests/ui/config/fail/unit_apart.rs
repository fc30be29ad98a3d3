use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth", timeout: 5 s, body_limit: 64 KiB },
    }
}

fn main() {}

// first: 5:55 `5 s`
