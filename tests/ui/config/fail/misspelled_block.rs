use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstraem: { base_url: "ftp://auth" },
    }
}

fn main() {}
