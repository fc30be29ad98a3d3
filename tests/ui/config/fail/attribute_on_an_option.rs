use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        /// A comment is fine.
        base_path: "/auth",
        #[cfg(unix)]
        upstream: { base_url: "http://auth" },
    }
}

fn main() {}
