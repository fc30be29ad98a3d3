use auth_proxy::auth_proxy;

auth_proxy! {
    pub Auth { upstream: { base_url: "http://auth" } }
}

fn main() {}

// first: 4:9 `Auth`
