use auth_proxy::auth_proxy;

auth_proxy! {
    #[derive(Clone, Default, PartialEq, Eq, Hash)]
    #[derive(serde::Serialize, serde::Deserialize)]
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

auth_proxy! {
    #[derive(Copy, PartialOrd, Ord, axum::extract::FromRef)]
    pub struct Others { upstream: { base_url: "http://auth" } }
}

fn main() {}

// first: 4:14 `Clone`
