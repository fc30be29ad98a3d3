use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth", session_strategy: "jwt" },
    }
}

fn main() {}

// first: 5:64 `"jwt"`
