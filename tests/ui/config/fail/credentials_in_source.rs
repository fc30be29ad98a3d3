use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: {
            base_url: "http://auth",
            headers: {
                "authorization": "Bearer sk_live_0123456789",
                "x-token": "Token 0123456789",
                "x-auth": "Basic dXNlcjpwYXNz",
                "x-api-key": "sk_live_0123456789",
                "x-key": env("KEY", default = "ghp_0123456789"),
            },
        },
    }
}

fn main() {}

auth_proxy! {
    struct Authorization {
        upstream: { base_url: "http://auth", headers: { "Authorization": "0123456789" } },
    }
}

// first: 8:34 `"Bearer sk_live_0123456789"`
