use auth_proxy::auth_proxy;

pub struct Auth {
    pub name: String,
}

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth" },
    }
}

fn main() {}
