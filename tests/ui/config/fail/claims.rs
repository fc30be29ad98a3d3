use auth_proxy::auth_proxy;

auth_proxy! {
    struct NotAList {
        upstream: { base_url: "http://auth", secret: env("AUTH_SECRET") },
        session: { source: local, claims: role },
    }
}

auth_proxy! {
    struct NotNames {
        upstream: { base_url: "http://auth", secret: env("AUTH_SECRET") },
        session: { source: local, claims: [role, 7] },
    }
}

auth_proxy! {
    struct Registered {
        upstream: { base_url: "http://auth", secret: env("AUTH_SECRET") },
        session: { source: local, claims: [role, exp] },
    }
}

auth_proxy! {
    struct TheToken {
        upstream: { base_url: "http://auth", secret: env("AUTH_SECRET") },
        session: { source: local, claims: [sessionToken] },
    }
}

auth_proxy! {
    struct OfTheUpstream {
        upstream: { base_url: "http://auth" },
        session: { claims: [role] },
    }
}

fn main() {}

// first: 6:43 `role`
