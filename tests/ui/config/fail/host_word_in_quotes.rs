use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth", host: "preserve" },
    }
}

fn main() {}

// first: 5:52 `"preserve"`
