#![deny(warnings)]

use auth_proxy::{AuthProxy, Policy, Session, Token, auth_proxy, require_session};
use axum::Router;
use axum::extract::FromRef;
use axum::routing::get;

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

pub mod policies {
    use super::{Auth, Policy, Session, Token};

    pub struct Admin;

    impl Policy<Auth> for Admin {
        fn allow(_: &Session<Auth>, _: Option<&Token<Auth>>) -> bool {
            true
        }
    }
}

struct Everyone;

impl<P: AuthProxy> Policy<P> for Everyone {
    fn allow(_: &Session<P>, _: Option<&Token<P>>) -> bool {
        true
    }
}

#[require_session(Auth, policies::Admin)]
async fn path() {}

#[require_session(Proxy, Everyone)]
async fn own_parameter<Proxy: AuthProxy>() {}

#[require_session(Auth, Rule)]
async fn policy_parameter<Rule: Policy<Auth>>() {}

struct Pages<A>(std::marker::PhantomData<A>);

impl<A: Policy<Auth>> Pages<A> {
    #[require_session(Auth, A)]
    async fn outer_parameter() {}

    #[require_session(Auth, policies::Admin)]
    async fn associated() {}
}

trait Page {
    fn page(_: auth_proxy::RequireSession<Auth, Everyone>) -> impl Future<Output = &'static str> + Send;
}

impl Page for Auth {
    #[require_session(Auth, Everyone)]
    async fn page() -> &'static str {
        "ok"
    }
}

fn router<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Auth: FromRef<S>,
{
    #[require_session(Auth, Local)]
    async fn local() {}

    struct Local;

    impl Policy<Auth> for Local {
        fn allow(_: &Session<Auth>, _: Option<&Token<Auth>>) -> bool {
            true
        }
    }

    Router::new()
        .route("/path", get(path))
        .route("/own", get(own_parameter::<Auth>))
        .route("/policy", get(policy_parameter::<Everyone>))
        .route("/outer", get(Pages::<Everyone>::outer_parameter))
        .route("/associated", get(Pages::<Everyone>::associated))
        .route("/page", get(<Auth as Page>::page))
        .route("/local", get(local))
}

fn main() {
    if let Ok(auth) = Auth::from_env() {
        let _: Router = router().with_state(auth);
    }
}
