use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth", secret: [] },
    }
}

fn main() {}

// first: 5:54 `[]`
