use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        base-path: "/auth",
        upstream: { base-url: "http://auth", kind: next-auth-v4 },
    }
}

fn main() {}
