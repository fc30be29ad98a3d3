use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth", secret: env("AUTH_SECRET"), token: hs256 },
    }
}

fn main() {}

// first: 5:81 `hs256`
