use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: env("A"), timeout: env("B", default = "5"), attempts: 1 },
    }
}

fn main() {}

// first: 5:69 `"5"`
// advice: none: `attempts` may mean several options
