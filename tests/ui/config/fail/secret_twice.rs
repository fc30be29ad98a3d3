use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth", secret: [env("A"), env("A", optional)] },
    }
}

fn main() {}

// first: 5:65 `env("A", optional)`
