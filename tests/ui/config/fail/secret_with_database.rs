use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth", session_strategy: database, secret: env("AUTH_SECRET") },
    }
}

fn main() {}

// first: 5:82 `env("AUTH_SECRET")`
