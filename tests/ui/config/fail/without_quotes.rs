use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        base_path: /api/auth,
        hosts: localhost,
        trusted_proxies: 10.0.0.0/8,
        upstream: {
            base_url: https://auth.example.com,
            kind: robo,
            secret: env("AUTH_SECRET"), env("AUTH_SECRET_OLD"),
            timeout: 1.5s,
        },
    }
}

fn main() {}

// first: 5:20 `/api/auth`
