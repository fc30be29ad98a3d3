//! Limits of attempts to sign in, written as a Rust expression and with a name in camel case.

auth_proxy::auth_proxy! {
    struct Unquoted {
        upstream: { base_url: "https://auth.example.com" },
        sign_in_limit: { per_ip: 20/1m },
    }
}

auth_proxy::auth_proxy! {
    struct CamelCase {
        upstream: { base_url: "https://auth.example.com" },
        sign_in_limit: { perIp: "20/1m" },
    }
}

fn main() {}

// first: 6:34 `20/1m`
