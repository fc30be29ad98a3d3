use auth_proxy::{Session, auth_proxy};

auth_proxy! {
    pub struct Auth<AppUser, app::Claims> {
        upstream: { base_url: "http://auth" },
    }
}

auth_proxy! {
    pub struct Lower<user = AppUser> {
        upstream: { base_url: "http://auth" },
    }
}

auth_proxy! {
    pub struct Bounds<User: AppUser> {
        upstream: { base_url: "http://auth" },
    }
}

#[derive(Clone, serde::Deserialize)]
pub struct AppUser {
    pub role: String,
}

pub mod app {
    #[derive(Clone, serde::Deserialize)]
    pub struct Claims;
}

// The types are used although they are written in another way: no further errors here.
pub fn role(session: Session<Auth>) -> String {
    session.user.role.clone()
}

pub fn lower(session: Session<Lower>) -> String {
    session.user.role.clone()
}

pub fn bounds(session: Session<Bounds>) -> AppUser {
    session.user.clone()
}

fn main() {}

// first: 4:21 `AppUser`
