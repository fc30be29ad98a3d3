use auth_proxy::{{Policy, Session, Token}, auth_proxy};
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

fn main() {
    let auth = Auth::from_env().unwrap();
    let _: Router = Router::new().route("/", get(|| async { "ok" })).route_layer(auth.require::<Admin>());
}

// first: 19:87 `require`
// advice: rustc: the number of arguments of a method
