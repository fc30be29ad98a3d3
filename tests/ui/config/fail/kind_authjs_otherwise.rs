use auth_proxy::auth_proxy;

auth_proxy! {
    struct Auth1 {
        upstream: { kind: auth.js, base_url: "http://auth" },
    }
}

auth_proxy! {
    struct Auth2 {
        upstream: { kind: Auth.js, base_url: "http://auth" },
    }
}

auth_proxy! {
    struct Auth3 {
        upstream: { kind: "auth.js", base_url: "http://auth" },
    }
}

auth_proxy! {
    struct Auth4 {
        upstream: { kind: @auth/core, base_url: "http://auth" },
    }
}

auth_proxy! {
    struct Auth5 {
        upstream: { kind: auth-js, base_url: "http://auth" },
    }
}

auth_proxy! {
    struct Auth6 {
        upstream: { kind: "authjs", base_url: "http://auth" },
    }
}

fn main() {}

// first: 5:27 `auth.js`
