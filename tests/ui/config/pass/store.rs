//! The ways to write `session.store`.

auth_proxy::auth_proxy! {
    struct Variable { upstream: { base_url: "http://auth" }, session: { cache: 30s, store: redis(env("REDIS_URL")) } }
}
auth_proxy::auth_proxy! {
    struct Default {
        upstream: { base_url: "http://auth" },
        session: { cache: 30s, store: redis(env("REDIS_URL", default = "redis://127.0.0.1:6379")) },
    }
}
auth_proxy::auth_proxy! {
    struct Literal {
        upstream: { base_url: "http://auth" },
        session: { cache: 30s, store: redis("redis+sentinel://a:26379,b:26379/main"), store_unavailable: ask_upstream },
    }
}
auth_proxy::auth_proxy! {
    struct Revoking {
        upstream: { base_url: "http://auth", secret: env("AUTH_SECRET") },
        session: { source: local, store: redis(env("REDIS_URL", optional)), revocation: store },
    }
}

fn main() {}
