use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "https://user:pw@auth.example.com" },
    }
}

fn main() {}

// first: 5:31 `"https://user:pw@auth.example.com"`
