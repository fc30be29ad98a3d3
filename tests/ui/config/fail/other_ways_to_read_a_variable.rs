use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: {
            base_url: process.env.AUTH_UPSTREAM_URL,
            cookie_name: std::env::var("COOKIE"),
            host: UPSTREAM_HOST,
        },
    }
}

fn main() {}

// first: 6:23 `process.env.AUTH_UPSTREAM_URL`
