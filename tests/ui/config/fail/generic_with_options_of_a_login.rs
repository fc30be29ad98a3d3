use auth_proxy::auth_proxy;

auth_proxy! {
    struct Auth {
        upstream: {
            kind: generic,
            base_url: "https://auth.example.com",
            session_strategy: database,
            token: es256,
            issuer: "https://auth.example.com",
            audience: "my-app",
        },
        jwks: { url: "https://auth.example.com/keys" },
        session: { source: upstream },
    }
}

fn main() {}

// first: 7:23 `"https://auth.example.com"`
