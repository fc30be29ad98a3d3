//! Attack: a handler with `#[require_session]` runs, or reads the body, for a visitor without a session.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use auth_proxy::options::SessionStrategy;
use auth_proxy::{AuthError, Policy, RequireSession, Session, Token, auth_proxy, require_session};
use auth_proxy_tests::{App, COOKIE_NAME};
use axum::Router;
use axum::extract::{FromRef, FromRequest, FromRequestParts, Request};
use axum::handler::Handler;
use axum::http::Method;
use axum::response::IntoResponse;
use axum::routing::{MethodFilter, any, get, on};

use crate::support::{Auth, Upstream, auth, first, read};

/// How often a handler ran, or an extractor read the body.
static RUNS: AtomicUsize = AtomicUsize::new(0);

fn ran() -> &'static str {
    RUNS.fetch_add(1, SeqCst);
    "ran"
}

/// Reads the body, and counts as a run.
struct Effect;

impl<S: Send + Sync> FromRequest<S> for Effect {
    type Rejection = AuthError;

    async fn from_request(request: Request, _: &S) -> Result<Self, AuthError> {
        axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
        ran();
        Ok(Self)
    }
}

struct Nobody;

impl Policy<Auth> for Nobody {
    fn allow(_: &Session<Auth>, _: Option<&Token<Auth>>) -> bool {
        false
    }
}

struct Everyone;

impl<P: auth_proxy::AuthProxy> Policy<P> for Everyone {
    fn allow(_: &Session<P>, _: Option<&Token<P>>) -> bool {
        true
    }
}

/// A policy with a bug.
struct Panics;

impl Policy<Auth> for Panics {
    fn allow(session: &Session<Auth>, _: Option<&Token<Auth>>) -> bool {
        session.user.email.clone().expect("an email") == "ada"
    }
}

#[require_session]
async fn optional(session: Option<Session<Auth>>) -> String {
    format!("{} {}", ran(), session.is_some())
}

#[require_session]
async fn result(session: Result<Session<Auth>, AuthError>, _: Effect) -> String {
    format!("{} {}", ran(), session.is_ok())
}

#[require_session]
async fn body(_: Effect) -> &'static str {
    ran()
}

#[require_session]
async fn with_cfg(
    #[cfg(not(test))] missing: NoSuchType,
    #[cfg(test)] _: Option<Session<Auth>>,
) -> &'static str {
    ran()
}

#[cfg_attr(test, require_session)]
async fn by_cfg_attr() -> &'static str {
    ran()
}

#[require_session(Auth, Nobody)]
#[require_session(Auth, Everyone)]
async fn twice() -> &'static str {
    ran()
}

#[require_session(Auth, Everyone)]
#[require_session(Auth, Nobody)]
async fn twice_reversed() -> &'static str {
    ran()
}

#[require_session(Auth, Panics)]
async fn panics() -> &'static str {
    ran()
}

#[require_session]
fn effect_before_the_future() -> std::future::Ready<&'static str> {
    std::future::ready(ran())
}

#[require_session]
async fn generic<E: FromRequestParts<Auth> + Send>(extra: E) -> &'static str {
    drop(extra);
    ran()
}

macro_rules! as_item {
    ($($item:item)*) => { $(#[require_session] $item)* };
}

macro_rules! in_parts {
    ($name:ident, ($($argument:tt)*), $body:block) => {
        #[require_session]
        async fn $name($($argument)*) -> &'static str $body
    };
}

macro_rules! with_types {
    ($proxy:ty, $policy:path, $name:ident) => {
        #[require_session($proxy, $policy)]
        async fn $name() -> &'static str {
            ran()
        }
    };
}

as_item! {
    async fn item() -> &'static str { ran() }
    #[tracing::instrument(skip_all)]
    async fn item_with_attribute(_: Effect) -> &'static str { ran() }
}
in_parts!(parts, (_: Option<Session<Auth>>), { ran() });
with_types!(Auth, Nobody, types);

/// Names of the generated code, taken by other items.
#[allow(non_snake_case, dead_code)]
mod shadowed {
    use super::{Auth, ran};

    pub(super) mod auth_proxy {
        pub(crate) mod __private {}
    }
    pub(super) mod core {}
    pub(super) struct RequireSession;
    pub(super) struct AnySession;
    pub(super) trait Guarded<P, A> {
        type Guard;
    }
    impl<P, A> Guarded<P, A> for [(); 1] {
        type Guard = ();
    }
    pub(super) fn proxy() {}

    #[::auth_proxy::require_session]
    pub(super) async fn handler() -> &'static str {
        ran()
    }

    #[::auth_proxy::require_session(Auth, super::Nobody)]
    pub(super) async fn with_policy() -> &'static str {
        ran()
    }
}

/// A second proxy, whose type has the same name, with another upstream.
mod other {
    use super::{auth_proxy, ran, require_session};

    auth_proxy! {
        pub(super) struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL"), cookie_name: "other" } }
    }

    #[require_session]
    pub(super) async fn handler() -> &'static str {
        ran()
    }
}

/// The state has both proxies.
#[derive(Clone)]
struct Both {
    first: Auth,
    second: other::Auth,
}

impl FromRef<Both> for Auth {
    fn from_ref(both: &Both) -> Self {
        both.first.clone()
    }
}

impl FromRef<Both> for other::Auth {
    fn from_ref(both: &Both) -> Self {
        both.second.clone()
    }
}

#[require_session]
async fn nested() -> &'static str {
    ran()
}

struct Pages;

impl Pages {
    #[require_session(Auth)]
    async fn associated(_: Effect) -> &'static str {
        ran()
    }
}

trait Page {
    fn page(_: RequireSession<Auth>) -> impl Future<Output = &'static str> + Send;
}

impl Page for Pages {
    #[require_session]
    async fn page() -> &'static str {
        ran()
    }
}

/// Every handler, and whether a signed-in visitor reaches it.
const TARGETS: [(&str, bool); 23] = [
    ("/optional", true),
    ("/result", true),
    ("/body", true),
    ("/with_cfg", true),
    ("/by_cfg_attr", true),
    ("/twice", false),
    ("/twice_reversed", false),
    ("/panics", false),
    ("/effect", true),
    ("/generic", true),
    ("/item", true),
    ("/item_with_attribute", true),
    ("/parts", true),
    ("/types", false),
    ("/shadowed", true),
    ("/shadowed_policy", false),
    ("/associated", true),
    ("/page", true),
    ("/layered", true),
    ("/nested/first", true),
    ("/nested/second", false),
    ("/service", true),
    ("/unknown/path", true),
];

async fn app(auth: &Auth, second: other::Auth) -> App {
    let nested = Router::new()
        .route("/first", get(nested))
        .route("/second", any(other::handler))
        .with_state(Both { first: auth.clone(), second });
    let layered = body.layer(axum::middleware::from_fn(async |request, next: axum::middleware::Next| {
        next.run(request).await.into_response()
    }));
    let router = Router::new()
        .route("/optional", any(optional))
        .route("/result", any(result))
        .route("/body", any(body))
        .route("/with_cfg", any(with_cfg))
        .route("/by_cfg_attr", any(by_cfg_attr))
        .route("/twice", any(twice))
        .route("/twice_reversed", any(twice_reversed))
        .route("/panics", any(panics))
        .route("/effect", any(effect_before_the_future))
        .route("/generic", any(generic::<Method>))
        .route("/item", on(MethodFilter::GET, item))
        .route("/item_with_attribute", any(item_with_attribute))
        .route("/parts", any(parts))
        .route("/types", any(types))
        .route("/shadowed", any(shadowed::handler))
        .route("/shadowed_policy", any(shadowed::with_policy))
        .route("/associated", any(Pages::associated))
        .route("/page", any(<Pages as Page>::page))
        .route("/layered", any(layered))
        .route_service("/service", body.with_state(auth.clone()))
        .nest("/nested", nested)
        .fallback(body);
    App::start(auth.attach(router).with_state(auth.clone())).await
}

#[tokio::test]
async fn no_guarded_handler_runs_without_a_session() {
    let upstream = Upstream::new(COOKIE_NAME, SessionStrategy::Jwt);
    let server = upstream.start().await;
    let own = auth(&server, SessionStrategy::Jwt).build().unwrap();
    let second = other::Auth::builder().upstream_base_url(server.url("")).build().unwrap();
    let app = app(&own, second).await;
    let token = upstream.issue("ada");
    let credentials = [
        ("none", String::new(), false),
        ("an empty cookie", format!("Cookie: {COOKIE_NAME}=\r\n"), false),
        ("a refused cookie", format!("Cookie: {COOKIE_NAME}=aaaa..bbbb.cccc.dddd\r\n"), false),
        ("an invalid header", "Authorization: Bearer \r\n".to_owned(), false),
        ("a session", format!("Cookie: {COOKIE_NAME}={token}\r\n"), true),
    ];
    let (mut made, mut wrong) = (0, Vec::new());
    for (target, is_open) in TARGETS {
        for method in ["GET", "HEAD", "OPTIONS", "POST", "BREW"] {
            for (name, credential, is_signed_in) in &credentials {
                made += 1;
                RUNS.store(0, SeqCst);
                let head = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
                let (status, answer) =
                    read(&app.raw(&format!("{head}{credential}Content-Length: 4\r\n\r\nbody")).await);
                let runs = RUNS.load(SeqCst);
                let is_routed = !matches!(status, 404 | 405);
                let expected = *is_signed_in && is_open && is_routed;
                if (runs > 0) != expected || (status == 200) != expected {
                    wrong.push(format!("{method} {target} with {name}: {status}, {runs} runs: {answer}"));
                }
            }
        }
    }
    println!(
        "guards: {} of {made} requests reached a handler that they must not, or missed one",
        wrong.len()
    );
    assert!(wrong.is_empty(), "{} of {made}:\n{}", wrong.len(), first(&wrong));
}
