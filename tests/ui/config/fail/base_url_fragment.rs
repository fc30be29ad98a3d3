use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "https://auth.example.com#top" },
    }
}

fn main() {}
