use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth", headers: { "x-a" = "b" } },
    }
}

fn main() {}

// first: 5:63 `=`
