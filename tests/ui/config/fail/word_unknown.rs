use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth", session_strategy: databse, kind: express },
    }
}

fn main() {}

// first: 5:79 `express`
// advice: none: `express` may be any kind
