use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: env("1 bad"), timeout: env(TIMEOUT), kind: env() },
    }
}

fn main() {}

// first: 5:35 `"1 bad"`
