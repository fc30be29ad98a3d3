use auth_proxy::{Session, auth_proxy};

#[derive(serde::Deserialize)]
pub struct AppUser {
    pub name: String,
}

auth_proxy! {
    pub struct Auth<User = AppUser> { upstream: { base_url: "http://auth" } }
}

async fn handler(session: Session<Auth>) -> String {
    session.user.nmae.clone()
}

fn main() {
    let _ = handler;
}

// first: 13:18 `nmae`
