use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: env!("AUTH_UPSTREAM_URL") },
    }
}

fn main() {}

// first: 5:31 `env!("AUTH_UPSTREAM_URL")`
