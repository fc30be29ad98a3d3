use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: {
            base_url: "http://auth",
            headers: [("x-tenant", "blue"), ("x-mode", "a, b")],
        },
    }
}

auth_proxy! {
    pub struct Unquoted {
        upstream: { base_url: "http://auth", headers: { x-api-key: env("AUTH_PROXY_KEY", optinal) } },
    }
}

fn main() {}

// first: 7:22 `[("x-tenant", "blue"), ("x-mode", "a, b")]`
