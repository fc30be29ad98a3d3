use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth<Usr = String, Foo = String, String> {
        upstream: { base_url: "http://auth" },
    }
}

fn main() {}

// first: 4:35 `Foo`
// advice: none: `Foo` may be for either type
