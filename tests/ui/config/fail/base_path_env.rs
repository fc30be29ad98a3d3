use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        base_path: env("BASE_PATH"),
        upstream: { base_url: "http://auth" },
    }
}

fn main() {}

// first: 5:20 `env("BASE_PATH")`
