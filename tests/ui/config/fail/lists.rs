use auth_proxy::auth_proxy;

auth_proxy! {
    struct Items {
        hosts: ["*.example.com", "app.example.com", "https://a", app.example.com, 7],
        trusted_proxies: [10.0.0.0/8, "10.0.0.0/33", "127.0.0.1".to_string()],
        upstream: { base_url: "http://auth", public_origins: [env("ORIGIN"), "https://a" "https://b"] },
        session: { claims: [role, 7, "two words"] },
    }
}

auth_proxy! {
    struct Wrapped {
        hosts: vec!["app.example.com"],
        trusted_proxies: &["10.0.0.0/8"],
        upstream: {
            base_url: "http://auth",
            public_origins: Vec::from(["https://auth.example.com"]),
            secret: vec![env("AUTH_SECRET")],
        },
        session: { source: local, claims: ["role"].to_vec() },
        cors: { origins: ("https://app.example.com") },
    }
}

auth_proxy! {
    struct NoList {
        hosts: "a.example.com, b.example.com",
        trusted_proxies: std::env::var("PROXIES"),
        upstream: { base_url: "http://auth", secret: std::env::var("AUTH_SECRET").unwrap() },
        session: { source: local, claims: role },
    }
}

auth_proxy! {
    struct Secrets {
        upstream: {
            base_url: "http://auth",
            secret: [std::env::var("AUTH_SECRET").unwrap(), SECRET, "hunter2".to_string(), env("OLD")],
        },
    }
}

fn main() {}

// first: 5:17 `"*.example.com"`
// advice: none: only the user knows the hosts that a wildcard stands for
