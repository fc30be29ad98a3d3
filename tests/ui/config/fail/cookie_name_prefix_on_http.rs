use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth", cookie_name: "__Secure-authjs.session-token" },
    }
}

fn main() {}

// first: 5:59 `"__Secure-authjs.session-token"`
