//! Uses the macros with the dependency `axum-auth-proxy` renamed.

renamed_proxy::auth_proxy! {
    /// A login.
    pub struct Login { upstream: { base_url: "http://localhost" } }
}

#[renamed_proxy::require_session(Login, crate = ::renamed_proxy)]
async fn handler() -> &'static str {
    "ok"
}

/// A router with a protected route.
pub fn router(login: &Login) -> axum::Router {
    let router = axum::Router::new().route("/", axum::routing::get(handler));
    login.attach(router).with_state(login.clone())
}

#[cfg(test)]
mod tests {
    #[test]
    fn macros_work_with_a_renamed_dependency() {
        let login = super::Login::from_env().unwrap();
        assert!(super::router(&login).has_routes());
    }
}
