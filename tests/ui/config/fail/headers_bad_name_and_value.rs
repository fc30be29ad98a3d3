use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth", headers: { "x api": "a", "x-b": "a\nb" } },
    }
}

fn main() {}

// first: 5:57 `"x api"`
