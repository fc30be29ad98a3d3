use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: "http://auth",
    }
}

fn main() {}

// first: 5:19 `"http://auth"`
