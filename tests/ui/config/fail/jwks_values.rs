use auth_proxy::auth_proxy;

auth_proxy! {
    struct Auth {
        upstream: { kind: generic, issuer: "https://auth.example.com", audience: "my-app" },
        jwks: {
            url: "http://auth.example.com/keys",
            max_age: 0s,
            leeway: 10m,
            algorithms: [es256, hs256],
        },
    }
}

auth_proxy! {
    struct Url {
        upstream: { kind: generic, issuer: "https://auth.example.com", audience: "my-app" },
        jwks: { url: "https://auth.example.com", cooldown: off },
    }
}

fn main() {}

// first: 7:18 `"http://auth.example.com/keys"`
// advice: none: only the user knows the address
