use auth_proxy::auth_proxy;

auth_proxy! {
    struct NothingCached {
        upstream: { base_url: "http://auth" },
        session: { answer_session: cached },
    }
}

auth_proxy! {
    struct NeverRenewed {
        upstream: { base_url: "http://auth", secret: env("AUTH_SECRET") },
        session: { source: local, answer_session: cached },
    }
}

auth_proxy! {
    struct Exposed {
        upstream: { base_url: "http://auth" },
        session: { cache: 30s, expose_session_token: true, answer_session: cached },
    }
}

auth_proxy! {
    struct Unknown {
        upstream: { base_url: "http://auth" },
        session: { cache: 30s, answer_session: cache },
    }
}

fn main() {}

// first: 6:36 `cached`
