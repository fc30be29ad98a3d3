use auth_proxy::{{Policy, Session, Token, require_session}, auth_proxy};
use axum::Router;
use axum::routing::get;

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

struct Admin;

impl Policy<Auth> for Admin {
    fn allow(_: &Session<Auth>, _: Option<&Token<Auth>>) -> bool {
        true
    }
}

#[require_session(Admin)]
async fn reports() -> &'static str {
    "ok"
}

#[require_session(Admin, Auth)]
async fn swapped() -> &'static str {
    "ok"
}

fn main() {
    let _: Router<Auth> = Router::new().route("/", get(reports)).route("/swapped", get(swapped));
}

// first: 17:19 `Admin`
