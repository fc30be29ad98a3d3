use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        /// A doc comment is accepted.
        base_path: "/auth",
        #[cfg(unix)]
        upstream: { base_url: "http://auth" },
    }
}

fn main() {}

// first: 7:9 `#[cfg(unix)]`
