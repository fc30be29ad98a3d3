//! A store that is not `redis(..)` with an address.

auth_proxy::auth_proxy! {
    struct NoAddress { upstream: { base_url: "http://auth" }, session: { cache: 30s, store: redis } }
}
auth_proxy::auth_proxy! {
    struct EmptyAddress { upstream: { base_url: "http://auth" }, session: { cache: 30s, store: redis() } }
}
auth_proxy::auth_proxy! {
    struct Valkey { upstream: { base_url: "http://auth" }, session: { cache: 30s, store: valkey(env("VALKEY_URL")) } }
}
auth_proxy::auth_proxy! {
    struct BareVariable { upstream: { base_url: "http://auth" }, session: { cache: 30s, store: env("REDIS_URL") } }
}
auth_proxy::auth_proxy! {
    struct BareText { upstream: { base_url: "http://auth" }, session: { cache: 30s, store: "redis://cache:6379" } }
}
auth_proxy::auth_proxy! {
    struct Password { upstream: { base_url: "http://auth" }, session: { cache: 30s, store: redis("redis://:hunter2@cache:6379") } }
}
auth_proxy::auth_proxy! {
    struct Memory { upstream: { base_url: "http://auth" }, session: { cache: 30s, store: memory } }
}
auth_proxy::auth_proxy! {
    struct OtherScheme { upstream: { base_url: "http://auth" }, session: { cache: 30s, store: redis("http://cache:6379") } }
}
auth_proxy::auth_proxy! {
    struct DefaultPassword {
        upstream: { base_url: "http://auth" },
        session: { cache: 30s, store: redis(env("REDIS_URL", default = "redis://:hunter2@cache")) },
    }
}
auth_proxy::auth_proxy! {
    struct NothingToStore { upstream: { base_url: "http://auth" }, session: { store: redis("redis://cache:6379") } }
}
auth_proxy::auth_proxy! {
    struct NothingToStoreLater { upstream: { base_url: "http://auth" }, session: { store: redis(env("REDIS_URL")) } }
}
auth_proxy::auth_proxy! {
    struct ValkeyPassword { upstream: { base_url: "http://auth" }, session: { cache: 30s, store: valkey("redis://:hunter2@cache") } }
}
auth_proxy::auth_proxy! {
    struct SecondArgument { upstream: { base_url: "http://auth" }, session: { cache: 30s, store: redis("redis://cache", tls) } }
}
auth_proxy::auth_proxy! {
    struct Port { upstream: { base_url: "http://auth" }, session: { cache: 30s, store: redis("redis://cache:six") } }
}
auth_proxy::auth_proxy! {
    struct StdEnv { upstream: { base_url: "http://auth" }, session: { cache: 30s, store: redis(std::env::var("CACHE_URL").unwrap()) } }
}
auth_proxy::auth_proxy! {
    struct MisspeltScheme { upstream: { base_url: "http://auth" }, session: { cache: 30s, store: redis("redsi://cache:6379") } }
}
auth_proxy::auth_proxy! {
    struct NoScheme { upstream: { base_url: "http://auth" }, session: { cache: 30s, store: redis("localhost:6379") } }
}
auth_proxy::auth_proxy! {
    struct OtherKey { upstream: { base_url: "http://auth" }, session: { cache: 30s, session_store: redis(env("REDIS_URL")) } }
}
auth_proxy::auth_proxy! {
    struct OtherWords {
        upstream: { base_url: "http://auth", secret: env("AUTH_SECRET") },
        session: { revocation: redis, revocation_unavailable: deny },
    }
}

fn main() {}

// first: 4:93 `redis`
// advice: none: only the user knows the address of the store
