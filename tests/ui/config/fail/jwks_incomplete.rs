use auth_proxy::auth_proxy;

auth_proxy! {
    struct NoAddress {
        upstream: { base_url: "http://auth", token: jwks, issuer: "https://auth.example.com", audience: "my-app" },
    }
}

auth_proxy! {
    struct AnyIssuer {
        upstream: { base_url: "http://auth", token: jwks, issuer: any, audience: any },
        jwks: { url: "https://auth.example.com/keys" },
    }
}

auth_proxy! {
    struct NoIssuer {
        upstream: { kind: generic, audience: "my-app" },
        jwks: { url: "https://auth.example.com/keys" },
    }
}

auth_proxy! {
    struct WithSecret {
        upstream: { kind: authjs, base_url: "http://auth", token: jwks, secret: env("AUTH_SECRET"), issuer: "https://auth.example.com", audience: any },
        jwks: { url: "https://auth.example.com/keys" },
    }
}

fn main() {}

// first: 5:53 `jwks`
// advice: none: only the user knows the address and the issuer
