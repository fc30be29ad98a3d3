use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "https://user:pw@auth.example.com" },
    }
}

fn main() {}
