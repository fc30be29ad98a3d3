use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: env("A"), timeout: env("B", default = "5s", optional), kind: env("C", robo) },
    }
}

fn main() {}

// first: 5:69 `"5s"`
