use auth_proxy::{{require_session}, auth_proxy};
use axum::Router;
use axum::routing::get;

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

fn main() {
    let _: Router<Auth> = Router::new().route("/", get(#[require_session] || async { "ok" }));
    let _: Router<Auth> = Router::new().route("/", get(#[require_session(Auth)] async move || "ok"));
    let _: Router<Auth> = Router::new().route("/", #[require_session] get(|| async { "ok" }));
}

// first: 10:56 `#[require_session]`
// advice: rustc: attributes on expressions are not stable
