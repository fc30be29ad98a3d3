use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth<User = AppUser, Claims = Vec<AppClaims>> {
        upstream: { base_url: "http://auth" },
    }
}

#[derive(Clone, serde::Deserialize)]
struct AppUser;

#[derive(Clone, serde::Deserialize)]
struct AppClaims;

fn main() {}

// first: 4:28 `AppUser`
// advice: rustc: privacy of types
