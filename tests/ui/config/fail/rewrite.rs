use auth_proxy::auth_proxy;

auth_proxy! {
    struct Auth {
        public_url: "https://app.example.org",
        cookie_secure: false,
        upstream: { base_url: "http://auth.internal" },
        rewrite: { cookie_domain: "example.com", location: no, cookie_prefixes: true },
    }
}

auth_proxy! {
    struct Other {
        upstream: { base_url: "http://auth.internal" },
        rewrite: { cookie_domain: "example.com:80", locaton: false },
    }
}

fn main() {}

// first: 6:9 `cookie_secure`
