use auth_proxy::auth_proxy;

#[derive(serde::Deserialize)]
pub struct AppUser<T> {
    pub name: T,
}

auth_proxy! {
    /// Documented.
    pub struct Auth<User = AppUser<Vec<String>>, Claims = std::collections::BTreeMap<String, serde_json::Value>,> {
        base_path: "/api/auth/",
        public_url: "https://app.example.com",
        sign_in_path: "/login",
        unauthenticated: redirect,
        routes: strict,
        rewrite: {
            location: true,
            cookie_domain: "example.com",
            cookie_path: false,
            cookie_secure: env("COOKIE_SECURE", default = "true"),
            cookie_prefix: true,
        },
        cors: { origins: ["https://page.example.com"] },
        trusted_proxies: ["10.0.0.0/8", "::1"],
        upstream: {
            kind: authjs,
            base_url: "https://auth.example.com/tenant",
            base_path: "/auth",
            headers: { "x-api-key": env("KEY"), "x-tenant": "frontend", "x-opt": env("OPT", optional), },
            cookie_name: "__Secure-authjs.session-token",
            secret: [env("AUTH_SECRET"), env("AUTH_SECRET_1", optional)],
            session_strategy: jwt,
            token: encrypted,
            host: "auth.internal:3000",
            fetch: Some(1).map_or(axum::Router::<()>::new(), |_| axum::Router::<()>::new()),
            timeout: 500ms,
            connect_timeout: 100ms,
            body_limit: 64KiB,
            concurrency: 1_000,
            queue: off,
            retries: 1,
            circuit_breaker: env("BREAKER", default = "off"),
            allow_http: false,
        },
        session: { source: env("SOURCE", default = "upstream"), cache: 30s, cache_entries: 500, stale_if_error: off, claims: [] },
    }
}

fn main() {
    let _ = Auth::builder().vars([("KEY", "k"), ("AUTH_SECRET", "s")]).build().unwrap();
}
