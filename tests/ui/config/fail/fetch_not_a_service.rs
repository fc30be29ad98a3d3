use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth", fetch: 5 },
    }
}

fn main() {}

// first: 5:53 `5`
// advice: none: no client follows from a number
