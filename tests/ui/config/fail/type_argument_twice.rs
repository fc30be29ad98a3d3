use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth<User = String, User = String, Claims> {
        upstream: { base_url: "http://auth" },
    }
}

fn main() {}

// The type of the advice.
type AppClaims = String;

// first: 4:36 `User`
