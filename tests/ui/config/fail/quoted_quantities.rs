use auth_proxy::auth_proxy;

auth_proxy! {
    struct Auth {
        upstream: { base_url: "http://auth", body_limit: "1MB", timeout: "5s", concurrency: "many", queue: "off", retries: 11 },
        session: { cache: "off", cache_entries: 0 },
    }
}

auth_proxy! {
    struct Other {
        upstream: { base_url: "http://auth" },
        session: { stale_if_error: 5m },
    }
}

auth_proxy! {
    struct Third {
        upstream: { base_url: "http://auth", secret: env("AUTH_SECRET") },
        session: { source: local, cache: 30s },
    }
}

fn main() {}

// first: 5:58 `"1MB"`
