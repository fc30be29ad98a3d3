//! `#[require_session]` together with other attributes on a handler. The handler must be guarded in every order that
//! compiles. The order that does not compile is tested in tests/ui.

use auth_proxy::{RequireSession, Session, require_session};
use axum::Router;
use axum::extract::Query;
use axum::routing::{get, post};
use serde::Deserialize;

use crate::support::{Auth, upstream};

#[derive(Debug, Deserialize)]
struct Page {
    n: Option<u32>,
}

#[require_session]
#[axum::debug_handler(state = Auth)]
async fn over_debug_handler(Query(page): Query<Page>) -> String {
    format!("ok{}", page.n.unwrap_or_default())
}

#[require_session]
#[tracing::instrument]
async fn over_instrument(query: Query<Page>) -> String {
    format!("ok{}", query.n.unwrap_or_default())
}

#[tracing::instrument(skip_all)]
#[require_session]
async fn under_instrument(body: String) -> String {
    format!("ok{}", body.len())
}

#[require_session]
#[utoipa::path(get, path = "/over_utoipa", responses((status = 200)))]
#[axum::debug_handler(state = Auth)]
async fn over_utoipa(Query(_page): Query<Page>) -> &'static str {
    "ok0"
}

#[utoipa::path(get, path = "/under_utoipa", responses((status = 200)))]
#[require_session]
#[axum::debug_handler(state = Auth)]
async fn under_utoipa(Query(_page): Query<Page>) -> &'static str {
    "ok0"
}

#[require_session(Auth)]
async fn generic<const N: u8>(session: Session<Auth>) -> String {
    assert!(session.user.name.is_some());
    format!("ok{N}")
}

struct Pages;

impl Pages {
    #[require_session(Auth)]
    async fn associated() -> &'static str {
        "ok0"
    }
}

#[require_session]
#[require_session]
async fn twice() -> &'static str {
    "ok0"
}

async fn by_hand(_: RequireSession<Auth>) -> &'static str {
    "ok0"
}

macro_rules! handler {
    ($name:ident) => {
        #[require_session(Auth)]
        async fn $name() -> &'static str {
            "ok0"
        }
    };
}

handler!(from_a_macro);

#[tokio::test]
async fn require_session_guards_in_every_attribute_order() {
    let upstream = upstream().await;
    let auth = Auth::builder().upstream_base_url(upstream.url()).build().unwrap();
    let router = Router::new()
        .route("/over_debug_handler", get(over_debug_handler))
        .route("/over_instrument", get(over_instrument))
        .route("/under_instrument", post(under_instrument).get(under_instrument))
        .route("/over_utoipa", get(over_utoipa))
        .route("/under_utoipa", get(under_utoipa))
        .route("/generic", get(generic::<0>))
        .route("/associated", get(Pages::associated))
        .route("/twice", get(twice))
        .route("/by_hand", get(by_hand))
        .route("/from_a_macro", get(from_a_macro));
    let app = auth_proxy_tests::App::start(auth.attach(router).with_state(auth.clone())).await;
    let browser = auth_proxy_tests::Browser::of(&app);
    let paths = [
        "over_debug_handler",
        "over_instrument",
        "under_instrument",
        "over_utoipa",
        "under_utoipa",
        "generic",
        "associated",
        "twice",
        "by_hand",
        "from_a_macro",
    ];
    for path in paths {
        assert_eq!(browser.get(&format!("/{path}")).await.status, 401, "{path}");
    }
    browser.sign_in("demo", "demo").await;
    for path in paths {
        let answer = browser.get(&format!("/{path}")).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "ok0"), "{path}");
    }
}
