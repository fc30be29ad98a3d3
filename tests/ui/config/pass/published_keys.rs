use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Machines {
        upstream: { kind: generic, issuer: "https://auth.example.com", audience: "my-app" },
        jwks: {
            url: "https://auth.example.com/keys?app=1",
            max_age: 5m,
            cooldown: 10s,
            stale: off,
            leeway: off,
            algorithms: [eddsa, "ps256"],
        },
    }
}

auth_proxy! {
    pub struct Variables {
        upstream: {
            kind: generic,
            issuer: env("ISSUER"),
            audience: env("AUDIENCE", default = "any"),
            cookie_name: env("COOKIE", optional),
        },
        jwks: {
            url: env("JWKS_URL"),
            max_age: env("MAX_AGE", default = "5m"),
            cooldown: env("COOLDOWN", optional),
            stale: env("STALE", default = "48h"),
            leeway: env("LEEWAY", default = "1s"),
            algorithms: env("ALGORITHMS", default = "es256, rs256"),
        },
        session: { claims: [role] },
    }
}

auth_proxy! {
    pub struct BetterAuth {
        upstream: {
            kind: better_auth,
            base_url: "http://auth.internal",
            token: jwks,
            issuer: "https://app.example.com",
            audience: "https://app.example.com",
        },
    }
}

fn main() {
    let none: [(&str, &str); 0] = [];
    let _ = Machines::builder().vars(none).build().unwrap();
    let _ = BetterAuth::builder().vars(none).build().unwrap();
    let vars = [("ISSUER", "https://a"), ("JWKS_URL", "https://a/keys")];
    let _ = Variables::builder().vars(vars).build().unwrap();
    assert!(Variables::builder().vars(vars).jwks_url("http://a.example.com/keys").build().is_err());
}
