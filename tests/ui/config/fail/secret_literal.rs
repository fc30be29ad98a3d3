use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth", secret: "hunter2" },
    }
}

fn main() {}

// first: 5:54 `"hunter2"`
