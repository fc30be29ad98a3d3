use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth<User = NotDeserialize> {
        upstream: { base_url: "http://auth" },
    }
}

#[derive(Clone)]
pub struct NotDeserialize;

fn main() {}
