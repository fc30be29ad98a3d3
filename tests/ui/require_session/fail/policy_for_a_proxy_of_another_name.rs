use auth_proxy::{Policy, Session, Token, auth_proxy, require_session};
use axum::Router;
use axum::routing::get;

auth_proxy! {
    pub struct Login { upstream: { base_url: "http://auth" } }
}

struct Admin;

impl Policy<Login> for Admin {
    fn allow(_: &Session<Login>, _: Option<&Token<Login>>) -> bool {
        true
    }
}

#[require_session(Admin)]
async fn reports() -> &'static str {
    "ok"
}

fn main() {
    let _: Router<Login> = Router::new().route("/", get(reports));
}

// first: 17:19 `Admin`
// advice: none: the attribute does not know the name of the proxy
