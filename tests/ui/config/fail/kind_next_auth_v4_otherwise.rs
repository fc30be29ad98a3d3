use auth_proxy::auth_proxy;

auth_proxy! {
    struct Auth1 {
        upstream: { kind: next-auth-v4, base_url: "http://auth" },
    }
}

auth_proxy! {
    struct Auth2 {
        upstream: { kind: "next-auth@4", base_url: "http://auth" },
    }
}

auth_proxy! {
    struct Auth3 {
        upstream: { kind: nextauth4, base_url: "http://auth" },
    }
}

auth_proxy! {
    struct Auth4 {
        upstream: { kind: "next_auth_v4", base_url: "http://auth" },
    }
}

fn main() {}

// first: 5:27 `next-auth-v4`
