use auth_proxy::{RawToken, Session, Token, auth_proxy, require_session};
use axum::debug_handler;

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

#[debug_handler]
async fn session(_session: Session<Auth>) {}

#[debug_handler]
async fn token(_token: Token<Auth>) {}

#[debug_handler]
async fn raw(_token: RawToken<Auth>) {}

#[require_session]
#[debug_handler]
async fn guarded() {}

fn main() {}

// first: 9:28 `Session`
