use auth_proxy::{auth_proxy, require_session};

auth_proxy! {
    struct Auth { upstream: { base_url: "http://auth" } }
}

#[require_session]
#[axum::debug_handler(state = Auth)]
#[tracing::instrument]
async fn outermost(body: String) -> String {
    body
}

#[tracing::instrument]
#[require_session(Auth)]
async fn innermost(body: String) -> String {
    body
}

#[utoipa::path(get, path = "/", responses((status = 200)))]
#[require_session(Auth, crate = ::auth_proxy)]
async fn documented<T>() -> &'static str
where
    T: Send + 'static,
{
    "ok"
}

#[require_session]
fn not_async() -> impl Future<Output = &'static str> + Send {
    async { "ok" }
}

fn main() {
    let _: axum::Router<Auth> = axum::Router::new()
        .route("/a", axum::routing::post(outermost))
        .route("/b", axum::routing::post(innermost))
        .route("/c", axum::routing::get(documented::<u8>))
        .route("/d", axum::routing::get(not_async));
}
