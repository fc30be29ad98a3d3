use auth_proxy::auth_proxy;

auth_proxy! {
    pub Auth { upstream: { base_url: "http://auth" } }
}

fn main() {}
