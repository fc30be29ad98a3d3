use auth_proxy::auth_proxy;

auth_proxy! {
    struct NoIssuer {
        upstream: { base_url: "http://auth", secret: env("AUTH_SECRET"), token: es256, audience: "my-app" },
    }
}

auth_proxy! {
    struct Waived {
        upstream: { base_url: "http://auth", secret: env("AUTH_SECRET"), token: hs256, audience: any, issuer: any },
    }
}

fn main() {}

// first: 5:81 `es256`
