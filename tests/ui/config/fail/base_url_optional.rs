use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: env("URL", optional) },
    }
}

fn main() {}

// first: 5:42 `optional`
