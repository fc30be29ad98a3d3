use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth", kind: r#authjs, r#timeout: 5s, token: es512 },
        unauthenticated: static,
        routes: struct,
    }
}

fn main() {}

// first: 5:52 `r#authjs`
// advice: none: the algorithm is the upstream's
