use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth", secret: env("A", default = "hunter2") },
    }
}

fn main() {}

// first: 5:73 `"hunter2"`
