use auth_proxy::auth_proxy;

auth_proxy! {
    struct Auth1 {
        upstream: { kind: nextauth, base_url: "http://auth" },
    }
}

auth_proxy! {
    struct Auth2 {
        upstream: { kind: next_auth, base_url: "http://auth" },
    }
}

auth_proxy! {
    struct Auth3 {
        upstream: { kind: next-auth, base_url: "http://auth" },
    }
}

auth_proxy! {
    struct Auth4 {
        upstream: { kind: NextAuth, base_url: "http://auth" },
    }
}

auth_proxy! {
    struct Auth5 {
        upstream: { kind: next.js, base_url: "http://auth" },
    }
}

auth_proxy! {
    struct Auth6 {
        upstream: { kind: "next-auth", base_url: "http://auth" },
    }
}

auth_proxy! {
    struct Auth7 {
        upstream: { kind: "nextauth", base_url: "http://auth" },
    }
}

auth_proxy! {
    struct Auth8 {
        upstream: { kind: env("KIND", default = "nextauth"), base_url: "http://auth" },
    }
}

fn main() {}

// first: 5:27 `nextauth`
