//! The instances of the app.

use std::sync::Arc;
use std::time::Duration;

use auth_proxy::options::{SessionStrategy, StoreUnavailable};
use auth_proxy::{Session, auth_proxy};
use auth_proxy_tests::App;
use axum::Router;
use axum::routing::get;

use crate::ablated::{Ablated, Parts};
use crate::upstream::Upstream;

auth_proxy! {
    pub(crate) struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL") } }
}

async fn me(session: Session<Auth>) -> String {
    session.user.name.clone().unwrap_or_default()
}

pub(crate) const COUNT: usize = 3;

pub(crate) struct Instances {
    pub(crate) apps: Vec<App>,
    _upstream: App,
}

impl Instances {
    pub(crate) async fn start(upstream: &Arc<Upstream>, redis: &str, parts: Parts) -> Self {
        let server = App::start(upstream.router()).await;
        let mut apps = Vec::new();
        for _ in 0..COUNT {
            let auth = Auth::builder()
                .upstream_base_url(server.url(""))
                .upstream_session_strategy(SessionStrategy::Database)
                .public_url("http://app.test")
                .session_cache(Duration::from_secs(30))
                // No cached session is used while sign-outs at other instances are not heard.
                .session_store_unavailable(StoreUnavailable::AskUpstream)
                .session_store(Ablated::new(redis, parts))
                .build()
                .unwrap();
            let routes = Router::new().route("/me", get(me));
            apps.push(App::start(auth.attach(routes).with_state(auth.clone())).await);
        }
        Self { apps, _upstream: server }
    }
}
