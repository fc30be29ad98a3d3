use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth", allow_http: yes },
    }
}

fn main() {}

// first: 5:58 `yes`
