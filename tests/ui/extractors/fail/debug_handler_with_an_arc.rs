use std::sync::Arc;

use auth_proxy::{RawToken, Session, Token, auth_proxy, require_session};
use axum::debug_handler;

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

struct App {
    auth: Auth,
}

#[debug_handler(state = Arc<App>)]
async fn session(_session: Session<Auth>) {}

#[debug_handler(state = Arc<App>)]
async fn token(_token: Token<Auth>) {}

#[debug_handler(state = Arc<App>)]
async fn raw(_token: RawToken<Auth>) {}

#[require_session]
#[debug_handler(state = Arc<App>)]
async fn guarded() {}

fn main() {}

// first: 15:28 `Session`
