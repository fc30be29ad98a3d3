use std::time::Duration;

use auth_proxy::rules::{DynRule, all, any, max_age, not, role, signed_in};
use auth_proxy::{Policy, Session, Token, auth_proxy, require_session};
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

#[require_session(Auth, all(any(role("admin"), Admin), not(role("guest")), max_age(10m)))]
#[axum::debug_handler(state = Auth)]
async fn page() -> &'static str {
    "ok"
}

fn main() {
    let auth = Auth::from_env().unwrap();
    let group = || Router::<Auth>::new().route("/", get(page));
    let old = |session: &Session<Auth>, _: Option<&Token<Auth>>| session.is_stale();
    let later = |_: Session<Auth>, _: Option<Token<Auth>>| async { true };
    let rules: Vec<DynRule<Auth>> = vec![DynRule::new(Admin), DynRule::new(not(old)), DynRule::new(later)];
    let _ = group().route_layer(auth.require(Admin));
    let _ = group().route_layer(auth.require(all(rules)));
    let _ = group().route_layer(auth.require(any((signed_in(), old, later, not(max_age(Duration::from_secs(9)))))));
}
