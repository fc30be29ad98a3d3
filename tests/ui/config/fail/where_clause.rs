use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth<User = String> where String: Sized {
        upstream: { base_url: "http://auth" },
    }
}

fn main() {}

// first: 4:36 `where`
