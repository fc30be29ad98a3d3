use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth", host: "a b" },
    }
}

auth_proxy! {
    pub struct Bare {
        upstream: { base_url: "http://auth", host: presrve },
        rewrite: { cookie_domain: example },
    }
}

fn main() {}

// first: 5:52 `"a b"`
// advice: none: `a b` is like no host
