//! Rules in `#[require_session]`.

use auth_proxy::options::SessionSource;
use auth_proxy::testing::mint;
use auth_proxy::{AuthProxy, Policy, Session, Token, require_session};
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::Request;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{COOKIE, NOW, SECRET, builder};
use crate::support::{Admin, Auth};

macro_rules! handlers {
    ($($name:ident($($rule:tt)*),)+) => {
        $(
            #[require_session($($rule)*)]
            async fn $name() -> &'static str {
                "ok"
            }
        )+

        fn routes() -> Router<Auth> {
            Router::new()$(.route(concat!("/", stringify!($name)), get($name)))+
        }
    };
}

handlers! {
    plain(Auth, role("admin")),
    of_auth(role("admin")),
    with_crate(role("admin"), crate = ::auth_proxy),
    recent(Auth, max_age(10m)),
    both(Auth, all(role("admin"), max_age(600s))),
    as_a_tuple(Auth, all((role("admin"), max_age(10m)))),
    as_a_list(Auth, any([role("admin"), role("editor")])),
    either(Auth, any(role("editor"), Admin)),
    no_guest(Auth, not(role("guest"))),
    strong(Auth, acr("mfa")),
    member(Auth, organization("acme")),
    reader(Auth, permission("orders:read")),
    anybody(Auth, signed_in()),
    many(Auth, all(
        not(role("1")), not(role("2")), not(role("3")), not(role("4")), not(role("5")), not(role("6")), not(role("7")),
        not(role("8")), not(role("9")), not(role("10")), not(role("11")), not(role("12")), role("13"),
    )),
    nested(Auth, any(all(role("admin"), not(max_age(1h))), Admin)),
    umlaut(Auth, role("Verwaltungsräte der Städte und Länder, und hier hört es auf")),
}

async fn ask(user: Value, claims: Value, path: &str) -> u16 {
    let mut all = json!({ "sub": "1", "the_session": { "user": user } });
    all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    let cookie = format!("{COOKIE}={}", mint(&all, SECRET, COOKIE));
    let request = Request::get(path).header("cookie", cookie).body(Body::empty()).unwrap();
    let app = routes().with_state(builder().build().unwrap());
    app.oneshot(request).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn rule_of_the_attribute_decides() {
    let admin = || json!({ "role": "admin" });
    let recent = || json!({ "auth_time": NOW - 60 });
    let none = || json!({});
    for (path, user, claims, status) in [
        ("/plain", admin(), none(), 200),
        ("/plain", json!({ "role": "user" }), none(), 403),
        ("/plain", none(), none(), 403),
        ("/of_auth", admin(), none(), 200),
        ("/of_auth", none(), none(), 403),
        ("/with_crate", admin(), none(), 200),
        ("/with_crate", none(), none(), 403),
        ("/recent", none(), recent(), 200),
        ("/recent", none(), json!({ "auth_time": NOW - 620 }), 401),
        ("/recent", none(), none(), 403),
        ("/both", admin(), recent(), 200),
        ("/both", admin(), json!({ "auth_time": NOW - 620 }), 401),
        ("/both", none(), recent(), 403),
        ("/as_a_tuple", admin(), recent(), 200),
        ("/as_a_tuple", admin(), json!({ "auth_time": NOW - 620 }), 401),
        ("/as_a_tuple", none(), recent(), 403),
        ("/as_a_list", json!({ "role": "editor" }), none(), 200),
        ("/as_a_list", json!({ "role": "reader" }), none(), 403),
        ("/either", admin(), none(), 200),
        ("/either", json!({ "role": "editor" }), none(), 200),
        ("/either", json!({ "role": "reader" }), none(), 403),
        ("/no_guest", admin(), none(), 200),
        ("/no_guest", json!({ "role": "guest" }), none(), 403),
        ("/no_guest", none(), none(), 403),
        ("/strong", none(), json!({ "acr": "mfa" }), 200),
        ("/strong", none(), json!({ "acr": "mf" }), 401),
        ("/member", none(), json!({ "org_id": "acme" }), 200),
        ("/member", none(), json!({ "org_id": "acm" }), 403),
        ("/reader", json!({ "permissions": ["orders:read"] }), none(), 200),
        ("/reader", json!({ "permissions": ["orders"] }), none(), 403),
        ("/anybody", none(), none(), 200),
        ("/many", json!({ "role": "13" }), none(), 200),
        ("/many", json!({ "role": "13,1" }), none(), 403),
        ("/many", json!({ "role": "13,12" }), none(), 403),
        ("/many", json!({ "role": "14" }), none(), 403),
        ("/nested", admin(), none(), 200),
        ("/nested", none(), recent(), 403),
        (
            "/umlaut",
            json!({ "roles": ["Verwaltungsräte der Städte und Länder, und hier hört es auf"] }),
            none(),
            200,
        ),
        ("/umlaut", json!({ "roles": ["Verwaltungsräte"] }), none(), 403),
    ] {
        assert_eq!(ask(user.clone(), claims.clone(), path).await, status, "{path} {user} {claims}");
    }
    let app = routes().with_state(builder().build().unwrap());
    for path in ["/plain", "/of_auth", "/anybody", "/no_guest", "/nested"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        assert_eq!(app.clone().oneshot(request).await.unwrap().status(), 401, "{path}");
    }
}

/// The guard of a rule is one as that of a policy: a test calls the handler with `testing::require_session()`.
#[tokio::test]
async fn guarded_handler_is_called_directly() {
    assert_eq!(both(auth_proxy::testing::require_session()).await, "ok");
}

struct Pages<P>(std::marker::PhantomData<P>);

struct Named;

impl<P: AuthProxy> Policy<P> for Named {
    fn allow(_: &Session<P>, token: Option<&Token<P>>) -> bool {
        token.is_some()
    }
}

impl<P: AuthProxy> Pages<P> {
    #[require_session(P, all(role("admin"), Named))]
    async fn page() -> &'static str {
        "ok"
    }
}

/// A proxy that is a type parameter.
#[tokio::test]
async fn rule_guards_a_generic_handler() {
    let auth = builder().session_source(SessionSource::Local).build().unwrap();
    let app: Router = Router::new().route("/", get(Pages::<Auth>::page)).with_state(auth);
    for (role, status) in [("admin", 200), ("user", 403)] {
        let claims = json!({ "sub": "1", "the_session": { "user": { "role": role } } });
        let cookie = format!("{COOKIE}={}", mint(&claims, SECRET, COOKIE));
        let request = Request::get("/").header("cookie", cookie).body(Body::empty()).unwrap();
        assert_eq!(app.clone().oneshot(request).await.unwrap().status(), status);
    }
}
