use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth" },
    }
}

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth" },
    }
}

fn main() {}
