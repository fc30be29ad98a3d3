use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "unix:/run/auth.sock", fetch: axum::Router::new() },
    }
}

fn main() {}

// first: 5:61 `axum::Router::new()`
