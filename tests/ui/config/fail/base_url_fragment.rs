use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "https://auth.example.com#top" },
    }
}

fn main() {}

// first: 5:31 `"https://auth.example.com#top"`
