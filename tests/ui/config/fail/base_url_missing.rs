use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { timeout: 5s },
    }
}

fn main() {}

// first: 5:9 `upstream`
