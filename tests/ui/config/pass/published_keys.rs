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

auth_proxy! {
    pub struct BackChannel {
        upstream: { kind: generic, issuer: "https://auth.example.com", audience: "my-app" },
        jwks: { url: "https://auth.example.com/keys" },
        session: { revocation: store },
        revocation: { back_channel: true },
    }
}

auth_proxy! {
    pub struct BackChannelLater {
        upstream: { kind: generic, issuer: env("ISSUER"), audience: env("AUDIENCE") },
        jwks: { url: env("JWKS_URL") },
        session: { revocation: env("REVOCATION", default = "store") },
        revocation: { back_channel: env("BACK_CHANNEL", default = "false") },
    }
}

fn main() {
    let none: [(&str, &str); 0] = [];
    let _ = Machines::builder().vars(none).build().unwrap();
    let _ = BetterAuth::builder().vars(none).build().unwrap();
    // Without a store, the list is refused at start.
    assert!(BackChannel::builder().vars(none).build().is_err());
    let later = [("ISSUER", "https://a"), ("JWKS_URL", "https://a/keys"), ("AUDIENCE", "a"), ("REVOCATION", "off")];
    let _ = BackChannelLater::builder().vars(later).build().unwrap();
    let on = later.into_iter().chain([("BACK_CHANNEL", "true")]);
    assert!(BackChannelLater::builder().vars(on).build().is_err());
    let vars = [("ISSUER", "https://a"), ("JWKS_URL", "https://a/keys")];
    let _ = Variables::builder().vars(vars).build().unwrap();
    assert!(Variables::builder().vars(vars).jwks_url("http://a.example.com/keys").build().is_err());
}
