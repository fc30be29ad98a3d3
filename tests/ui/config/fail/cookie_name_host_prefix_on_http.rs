use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        public_url: "http://app.internal",
        upstream: { base_url: "http://auth", cookie_name: "__Host-session" },
        rewrite: { cookie_prefix: false },
    }
}

fn main() {}

// first: 6:59 `"__Host-session"`
