use auth_proxy::auth_proxy;

auth_proxy! {
    struct NoList {
        upstream: { kind: generic, issuer: "https://auth.example.com", audience: "my-app" },
        jwks: { url: "https://auth.example.com/keys" },
        revocation: { back_channel: true },
    }
}

auth_proxy! {
    struct NoKeys {
        upstream: { base_url: "http://auth", secret: env("AUTH_SECRET") },
        session: { revocation: store },
        revocation: { back_channel: true },
    }
}

auth_proxy! {
    struct NoUrl {
        upstream: { kind: generic, issuer: "https://auth.example.com", audience: "my-app" },
        session: { revocation: store },
        revocation: { back_channel: true },
    }
}

auth_proxy! {
    struct NoIssuerAndNoAudience {
        upstream: { kind: generic },
        jwks: { url: "https://auth.example.com/keys" },
        session: { revocation: store },
        revocation: { back_channel: true },
    }
}

auth_proxy! {
    struct AnyAudience {
        upstream: { kind: generic, issuer: "https://auth.example.com", audience: any },
        jwks: { url: "https://auth.example.com/keys" },
        session: { revocation: store },
        revocation: { back_channel: true },
    }
}

auth_proxy! {
    struct NotASwitch {
        upstream: { kind: generic, issuer: "https://auth.example.com", audience: "my-app" },
        jwks: { url: "https://auth.example.com/keys" },
        session: { revocation: store },
        revocation: { back_channel: on },
    }
}

fn main() {}

// first: 7:37 `true`
