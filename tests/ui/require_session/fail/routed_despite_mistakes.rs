use auth_proxy::{{require_session}, auth_proxy};
use axum::Router;
use axum::routing::get;

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

#[require_session]
fn sync() -> &'static str {
    "ok"
}

#[require_session]
fn sync_response() -> impl axum::response::IntoResponse {
    "ok"
}

#[require_session]
const fn constant() -> &'static str {
    "ok"
}

#[require_session]
unsafe fn dangerous() -> &'static str {
    "ok"
}

type A = axum::http::Method;

#[require_session]
#[axum::debug_handler(state = Auth)]
async fn sixteen(_: A, _: A, _: A, _: A, _: A, _: A, _: A, _: A, _: A, _: A, _: A, _: A, _: A, _: A, _: A, body: String) -> String {
    body
}

#[require_session]
async fn eighteen(
    _: A, _: A, _: A, _: A, _: A, _: A, _: A, _: A, _: A, _: A, _: A, _: A, _: A, _: A, _: A, _: A, _: A, body: String,
) -> String {
    body
}

fn main() {
    let _: Router<Auth> = Router::new()
        .route("/sync", get(sync))
        .route("/sync_response", get(sync_response))
        .route("/constant", get(constant))
        .route("/dangerous", get(dangerous))
        .route("/sixteen", get(sixteen))
        .route("/eighteen", get(eighteen));
}

// first: 10:4 `sync`
// advice: none: which arguments go into a tuple is a choice
