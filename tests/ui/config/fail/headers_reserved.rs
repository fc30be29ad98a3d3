use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth", headers: { "Host": "a", "Cookie": "b", "Content-Length": "1" } },
    }
}

fn main() {}

// first: 5:57 `"Host"`
