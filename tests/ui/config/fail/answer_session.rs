//! Answers in place of the upstream that nothing can give, or that would sign visitors out.

use auth_proxy::auth_proxy;

auth_proxy! {
    struct NoCache {
        upstream: { base_url: "http://auth" },
        session: { answer_session: cached },
    }
}

auth_proxy! {
    struct NoCookieCache {
        upstream: { base_url: "http://auth", kind: better_auth },
        session: { answer_session: cached, cache: off },
    }
}

auth_proxy! {
    struct NoRenewal {
        upstream: { base_url: "http://auth", secret: env("AUTH_SECRET") },
        session: { source: local, answer_session: cached },
    }
}

auth_proxy! {
    struct WithToken {
        upstream: { base_url: "http://auth", session_strategy: database },
        session: { cache: 30s, expose_session_token: true, answer_session: cached },
    }
}

auth_proxy! {
    struct NoSessionRoute {
        upstream: { kind: generic, issuer: "https://id.example.com", audience: "orders" },
        jwks: { url: "https://id.example.com/keys" },
        session: { answer_session: cached },
    }
}

auth_proxy! {
    struct OtherWord {
        upstream: { base_url: "http://auth" },
        session: { cache: 30s, answer_session: cache },
    }
}

fn main() {}

// first: 8:35 `cached`
