use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth", cookie_name: "a=b" },
    }
}

fn main() {}

// first: 5:59 `"a=b"`
