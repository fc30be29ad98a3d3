use auth_proxy::{Session, auth_proxy};

auth_proxy! {
    pub struct Auth {
        user: AppUser,
        upstream: { base_url: "http://auth" },
    }
}

auth_proxy! {
    pub struct Associated {
        type User = AppUser;
        type Claims = Vec<AppUser>;
        upstream: { base_url: "http://auth" },
    }
}

#[derive(Clone, serde::Deserialize)]
pub struct AppUser {
    pub role: String,
}

pub fn role(session: Session<Auth>) -> String {
    session.user.role.clone()
}

pub fn associated(session: Session<Associated>) -> String {
    session.user.role.clone()
}

fn main() {}

// first: 5:9 `user`
