//! Records each request to the fake upstream and passes it to the routes of the server that the fake imitates.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::Response;

use super::state::{Fake, SeenRequest};
use super::{better_auth, robo, routes};

/// The largest request body, in bytes. Auth.js on Express has a limit too. A larger body counts as an empty form.
const BODY_LIMIT: usize = 1 << 20;

/// The fake's router while no fault is set.
pub(super) fn router(fake: Arc<Fake>) -> Router {
    Router::new().fallback(handle).with_state(fake)
}

async fn handle(State(fake): State<Arc<Fake>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let seen = SeenRequest { method: parts.method, uri: parts.uri, headers: parts.headers };
    let body = axum::body::to_bytes(body, BODY_LIMIT).await.unwrap_or_else(|_| Bytes::new());
    answer(&fake, seen, &body, false).await
}

/// Records a request and returns its response. Waits forever if Robo would never respond.
pub(super) async fn answer(fake: &Fake, seen: SeenRequest, body: &[u8], database_is_down: bool) -> Response {
    fake.memory().seen.push(seen.clone());
    if fake.settings.is_better_auth() {
        return better_auth::answer(fake, &seen, body, database_is_down);
    }
    let is_robo = fake.settings.is_robo();
    if is_robo && robo::never_answers(&seen) {
        std::future::pending::<()>().await;
    }
    let own = if is_robo { robo::answer(fake, &seen) } else { None };
    own.unwrap_or_else(|| routes::answer(fake, &seen, body, database_is_down))
}
