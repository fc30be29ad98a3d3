use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream.base_url: "http://auth",
    }
}

fn main() {}

// first: 5:9 `upstream.base_url`
