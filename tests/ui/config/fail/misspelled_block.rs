use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstraem: { base_url: "ftp://auth" },
    }
}

fn main() {}

// first: 5:31 `"ftp://auth"`
