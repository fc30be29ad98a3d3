use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: {
            base_url: env("A" optional),
            kind: env("B", optoinal),
            host: env("C", optional = true),
            timeout: env("D", default = "5s", default = "6s"),
        },
    }
}

fn main() {}

// first: 6:31 `optional`
