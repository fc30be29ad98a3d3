use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        providers: [],
        pages: { signIn: "/login" },
        upstream: { base_url: "http://auth" },
    }
}

fn main() {}

// first: 5:9 `providers`
