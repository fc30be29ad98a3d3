use auth_proxy::auth_proxy;
use axum::Router;
use axum::routing::get;

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

// `AnySession` is the only policy, and yet it is not taken without a word.
fn main() {
    let auth = Auth::from_env().unwrap();
    let _: Router = Router::new().route("/", get(|| async { "ok" })).route_layer(auth.require_policy());
}

// first: 12:87 `require_policy`
// advice: rustc: a type that cannot be inferred
