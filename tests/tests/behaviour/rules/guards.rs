//! Rules behind a layer and in a handler.

use auth_proxy::errors::GuardRejection;
use auth_proxy::rules::{Decision, Rule, Visitor, any, role, signed_in};
use auth_proxy::testing::FakeUpstream;
use auth_proxy::{Session, auth_proxy};
use auth_proxy_tests::{App, Browser};
use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use http::request::Parts;
use serde::Deserialize;

/// A type without the role.
#[derive(Deserialize)]
struct AppUser {
    name: String,
}

auth_proxy! {
    struct Typed<User = AppUser> { upstream: { base_url: env("AUTH_UPSTREAM_URL") } }
}

/// Everyone may read, and editors may write. The path must be the one that the client sent.
struct EditorsWrite;

impl Rule<Typed> for EditorsWrite {
    async fn check(&self, visitor: &Visitor<'_, Typed>) -> Decision {
        assert!(visitor.uri().path().starts_with("/nested/"), "{}", visitor.uri());
        assert!(visitor.headers().contains_key("host") && !visitor.session().user.name.is_empty());
        Decision::from(visitor.method().is_safe() || visitor.token().is_some())
    }
}

async fn in_a_handler(
    State(auth): State<Typed>,
    session: Session<Typed>,
    mut parts: Parts,
) -> Result<String, GuardRejection> {
    auth.authorize(&mut parts, role("admin")).await?;
    Ok(session.user.name.clone())
}

async fn app(upstream: &FakeUpstream) -> (App, Browser, Typed) {
    let auth = Typed::builder().upstream_base_url(upstream.url()).build().unwrap();
    let page = || Router::new().route("/{page}", get(|| async { "ok" }).post(|| async { "ok" }));
    let router = Router::new()
        .route("/in_a_handler", post(in_a_handler).get(in_a_handler))
        .nest("/admin", page().route_layer(auth.require(role("admin"))))
        .nest("/staff", page().route_layer(auth.require(any((role("admin"), role("user"))))))
        .nest("/members", page().route_layer(auth.require(signed_in())))
        .nest("/nested", page().route_layer(auth.require(EditorsWrite)));
    let app = App::start(auth.attach(router).with_state(auth.clone())).await;
    let browser = Browser::of(&app);
    (app, browser, auth)
}

#[tokio::test]
async fn rules_guard_routes_whatever_the_type_of_the_user() {
    let upstream = crate::support::upstream().await;
    let (_app, browser, _auth) = app(&upstream).await;
    let paths = ["/admin/a", "/staff/a", "/members/a", "/nested/a", "/in_a_handler"];
    for path in paths {
        let answer = browser.get(path).await;
        assert_eq!((answer.status, answer.code().as_str()), (401, "session_absent"), "{path}");
    }
    browser.sign_in("demo", "demo").await;
    for (path, status) in paths.into_iter().zip([403, 200, 200, 200, 403]) {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, status, "{path}: {answer:?}");
    }
    assert_eq!(browser.post("/nested/a", &[]).await.status, 403);
    browser.sign_in("admin", "admin").await;
    upstream.forget_seen();
    assert_eq!(browser.get("/in_a_handler").await.body, "Ada");
    assert_eq!(upstream.lookups(), 1, "the extractor and the check share a lookup");
    for path in &paths[..4] {
        assert_eq!(browser.get(path).await.status, 200, "{path}");
    }
    assert_eq!(browser.get("/admin/unknown/path").await.status, 404);
}

/// `signed_in()` costs no lookup where a token is decoded here, as `require_any_session()`.
#[tokio::test]
async fn signed_in_decodes_the_token_without_a_lookup() {
    let upstream = crate::support::upstream().await;
    let auth = Typed::builder()
        .upstream_base_url(upstream.url())
        .upstream_secret([upstream.secret()])
        .build()
        .unwrap();
    let rule: auth_proxy::rules::DynRule<Typed> = auth_proxy::rules::DynRule::new(signed_in());
    let page = || Router::new().route("/a", get(|| async { "ok" }));
    for router in [page().route_layer(auth.require(signed_in())), page().route_layer(auth.require(rule))] {
        let app = App::start(auth.attach(router).with_state(auth.clone())).await;
        let browser = Browser::of(&app);
        browser.sign_in("demo", "demo").await;
        upstream.forget_seen();
        assert_eq!(browser.get("/a").await.status, 200);
        assert_eq!(upstream.lookups(), 0);
    }
}
