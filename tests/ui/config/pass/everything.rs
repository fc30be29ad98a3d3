use auth_proxy::auth_proxy;

#[derive(serde::Deserialize)]
pub struct AppUser<T> {
    pub name: T,
}

auth_proxy! {
    /// A doc comment.
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
            token: hs256,
            audience: "my-app",
            issuer: any,
            public_origins: ["https://auth.example.com", "http://localhost:3000"],
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
        session: { source: env("SOURCE", default = "upstream"), cache: 30s, cache_entries: 500, stale_if_error: off, claims: [], renew: 1h, answer_session: cached, expose_session_token: false },
    }
}

auth_proxy! {
    /// Options that exclude an option above, and options in their other form.
    pub struct Other {
        hosts: ["app.example.com", "localhost:3000"],
        upstream: {
            kind: next_auth_v4,
            base_url: "http://auth.internal",
            audience: any,
            issuer: "https://auth.example.com",
            public_origins: [],
        },
        session: { renew: always, answer_session: upstream, expose_session_token: true },
    }
}

auth_proxy! {
    /// Options with values from the environment.
    pub struct Variables {
        hosts: env("HOSTS", optional),
        upstream: {
            kind: env("KIND", optional),
            base_url: "http://auth.internal",
            token: env("TOKEN", default = "eddsa"),
            audience: env("AUDIENCE", default = "any"),
            issuer: env("ISSUER"),
            public_origins: env("PUBLIC_ORIGINS", default = "https://a.example.com,https://b.example.com"),
        },
        session: { renew: env("RENEW", default = "always"), answer_session: env("ANSWER", default = "upstream"), expose_session_token: env("EXPOSE", default = "false") },
    }
}

auth_proxy! {
    pub struct Waived {
        upstream: { kind: robo, base_url: "http://auth", secret: env("KEY"), token: hs256, audience: any, issuer: any },
    }
}

fn main() {
    let _ = Auth::builder().vars([("KEY", "k"), ("AUTH_SECRET", "s")]).build().unwrap();
    let none: [(&str, &str); 0] = [];
    let _ = Other::builder().vars(none).build().unwrap();
    let _ = Variables::builder().vars([("ISSUER", "https://a"), ("HOSTS", "a, b:1")]).build().unwrap();
    let _ = Waived::builder().vars([("KEY", "k")]).build().unwrap();
}
