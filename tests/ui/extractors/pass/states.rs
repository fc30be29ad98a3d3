#![deny(warnings)]

use std::sync::Arc;

use auth_proxy::{AuthProxy, FromState, RawToken, RequireSession, Session, Token, auth_proxy, require_session};
use axum::Router;
use axum::extract::FromRef;
use axum::routing::get;

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

auth_proxy! {
    pub struct Partner { upstream: { base_url: "http://partner" } }
}

#[derive(Clone, FromRef)]
struct App {
    auth: Auth,
    partner: Partner,
}

struct Shared {
    auth: Auth,
}

// As the note of the compile error says.
impl axum::extract::FromRef<Arc<Shared>> for Auth { fn from_ref(app: &Arc<Shared>) -> Self { app.auth.clone() } }

async fn me(_session: Session<Auth>, _token: Token<Auth>) {}

async fn both(_session: Option<Session<Auth>>, _partner: Option<Session<Partner>>, _raw: RawToken<Auth>) {}

async fn generic<P: AuthProxy>(_session: Session<P>) {}

async fn closure_argument<P: AuthProxy>(_: RequireSession<P>) {}

#[require_session]
async fn guarded() {}

#[require_session(Partner)]
async fn partner() {}

fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Auth: FromState<S>,
{
    Router::new().route("/me", get(me)).route("/guarded", get(guarded))
}

fn routes_from_ref<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Auth: FromRef<S>,
{
    Router::new().route("/me", get(me))
}

fn main() {
    let (Ok(auth), Ok(other)) = (Auth::from_env(), Partner::from_env()) else { return };
    let _: Router = auth.attach(Router::new().route("/me", get(me))).with_state(auth.clone());
    let app = App { auth: auth.clone(), partner: other };
    let _: Router = Router::new()
        .route("/me", get(me))
        .route("/both", get(both))
        .route("/generic", get(generic::<Auth>))
        .route("/guard", get(closure_argument::<Partner>))
        .route("/closure", get(|_: RequireSession<Auth>| async { "ok" }))
        .route("/guarded", get(guarded))
        .route("/partner", get(partner))
        .route_layer(auth.require_any_session())
        .with_state(app.clone());
    let _: Router = routes().with_state(app);
    let _: Router = routes_from_ref().with_state(auth.clone());
    let shared = Arc::new(Shared { auth });
    let _: Router = Router::new().route("/me", get(me)).route("/guarded", get(guarded)).with_state(shared);
}
