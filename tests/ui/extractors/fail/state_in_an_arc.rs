use auth_proxy::{Session, auth_proxy};
use axum::Router;
use axum::routing::get;

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

struct App {
    auth: Auth,
}

async fn me(_session: Session<Auth>) {}

fn main() {
    let app = std::sync::Arc::new(App { auth: Auth::from_env().unwrap() });
    let _: Router = Router::new().route("/", get(me)).with_state(app);
}

// first: 17:66 `app`
// advice: rustc: the type of a router is of axum
