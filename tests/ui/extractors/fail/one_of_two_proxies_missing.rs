use auth_proxy::{Session, auth_proxy};
use axum::Router;
use axum::routing::get;

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

auth_proxy! {
    pub struct Partner { upstream: { base_url: "http://partner" } }
}

#[derive(Clone, axum::extract::FromRef)]
struct App {
    auth: Auth,
}

async fn me(_session: Session<Auth>) {}

async fn partner(_session: Session<Partner>) {}

#[axum::debug_handler(state = App)]
async fn both(_session: Session<Auth>, _partner: Session<Partner>) {}

fn main() {
    let app = App { auth: Auth::from_env().unwrap() };
    let _: Router = Router::new().route("/me", get(me)).route("/partner", get(partner)).with_state(app);
}

// first: 23:50 `Session`
// advice: none: how the state gets the proxy is a choice
