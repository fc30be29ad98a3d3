//! One mistake in the block is one error: uses of the type cause no further errors.
use auth_proxy::{Session, auth_proxy, require_session};

auth_proxy! {
    pub struct Auth { upstream: { base_ulr: "http://auth", base_url: "http://auth" } }
}

#[require_session]
async fn handler(session: Session<Auth>) -> String {
    session.user.name.clone().unwrap_or_default()
}

fn main() {
    let auth = Auth::from_env().unwrap();
    let router = axum::Router::new().route("/", axum::routing::get(handler));
    let _: axum::Router = auth.attach(router).with_state(auth.clone());
}

// first: 5:35 `base_ulr`
