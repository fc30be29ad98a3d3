use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: env("A"), timeout: env("B", default = "5"), attempts: 1 },
    }
}

fn main() {}
