use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth<'a, const N: usize, User: Clone> { upstream: { base_url: "http://auth" } }
}

fn main() {}

// The type of the advice.
type AppUser = String;

// first: 4:21 `'a`
