use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        base_path: "/api/auth".to_string(),
        public_url: Some("https://app.example.com"),
        unauthenticated: redirect("/login"),
        upstream: {
            base_url: env("AUTH_UPSTREAM_URL").unwrap_or("http://auth".into()),
            kind: Kind::AuthJs,
            token: TokenFormat::EncryptedV4,
            cookie_name: String::from("session"),
            host: &"auth.example.com",
            audience: format!("{}-app", stage),
            body_limit: 10 * 1024 * 1024,
            timeout: Duration::from_secs(5),
            connect_timeout: 2 * 1s,
            concurrency: 2 * 64,
            queue: config.queue(),
            allow_http: cfg!(debug_assertions),
            headers: { "x-tenant": "a".to_string(), "x-key": env("KEY").unwrap() },
        },
    }
}

auth_proxy! {
    struct Variables {
        public_url: process.env.PUBLIC_URL ?? "https://app.example.com",
        upstream: {
            base_url: std::env::var("URL").expect("no URL"),
            kind: env("KIND").ok(),
            host: env("HOST")?,
            cookie_name: env!("COOKIE").to_string(),
            secret: env("SECRET").unwrap_or("hunter2"),
        },
    }
}

fn main() {}

// first: 5:20 `"/api/auth".to_string()`
// advice: none: a constant expression has no known value
