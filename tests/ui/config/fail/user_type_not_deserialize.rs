use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth<User = NotDeserialize> {
        upstream: { base_url: "http://auth" },
    }
}

#[derive(Clone)]
pub struct NotDeserialize;

fn main() {}

// first: 4:28 `NotDeserialize`
// advice: rustc: the bound of the type is of serde
