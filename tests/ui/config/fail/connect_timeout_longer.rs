use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth", timeout: 1s, connect_timeout: 2s },
    }
}

fn main() {}
