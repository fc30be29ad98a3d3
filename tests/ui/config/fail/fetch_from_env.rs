use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth", fetch: env("CLIENT") },
    }
}

fn main() {}

// The client of the advice.
fn my_client() -> auth_proxy::fetch::Reqwest {
    unimplemented!()
}

// first: 5:53 `env("CLIENT")`
