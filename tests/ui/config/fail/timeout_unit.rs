use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth", timeout: 5sec },
    }
}

fn main() {}

// first: 5:55 `5sec`
