use auth_proxy::auth_proxy;
use axum::Router;
use axum::routing::get;

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

fn main() {
    let auth = Auth::from_env().unwrap();
    let _: Router = Router::new().route("/", get(|| async { "ok" })).route_layer(auth.require("admin"));
}

// first: 11:95 `"admin"`
// advice: none: which rule it is to be is a choice
