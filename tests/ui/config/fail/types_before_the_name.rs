use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct <User = AppUser> Auth { upstream: { base_url: "http://auth" } }
}

fn main() {}

// The type of the advice.
type AppUser = String;

// first: 4:16 `<`
