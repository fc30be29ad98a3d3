use auth_proxy::{Session, auth_proxy};

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

#[derive(Clone)]
struct AppState;

#[axum::debug_handler(state = AppState)]
async fn handler(_session: Session<Auth>) {}

fn main() {}

// first: 11:28 `Session`
// advice: none: how the state gets the proxy is a choice
