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

#[require_session("Auth", "Admin")]
async fn strings() {}

#[require_session("admin")]
async fn role() {}

#[require_session(policy = Admin)]
async fn named() {}

#[require_session(Auth, policy = "Admin")]
async fn named_string() {}

#[require_session(proxy = Auth)]
async fn named_proxy() {}

#[require_session(Auth Admin)]
async fn without_a_comma() {}

#[require_session(Auth, Admin())]
async fn call() {}

#[require_session(Auth, Admin {})]
async fn value() {}

#[require_session(Auth, Admin::new())]
async fn constructor() {}

#[require_session(Auth, &Admin)]
async fn reference() {}

#[require_session(Auth, |session| session.is_admin())]
async fn closure() {}

#[require_session(crate)]
async fn krate() {}

fn main() {
    let _: Router<Auth> = Router::new().route("/", get(strings)).route("/named", get(named)).route("/call", get(call));
}

// first: 17:19 `"Auth"`
