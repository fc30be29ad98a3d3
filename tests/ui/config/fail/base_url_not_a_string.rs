use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: localhost },
    }
}

fn main() {}

// first: 5:31 `localhost`
