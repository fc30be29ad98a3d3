use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth<'a, const N: usize, User: Clone> { upstream: { base_url: "http://auth" } }
}

fn main() {}
