//! Visitors of an app's own tests: `auth.sign_in_as(..)` and the other outcomes, without a socket and a login server.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_proxy::errors::Outcome;
use auth_proxy::options::{Builder, Expected, SessionSource, SessionStrategy, TokenFormat, UpstreamKind};
use auth_proxy::rules::{all, max_age, role};
use auth_proxy::sessions::{SessionData, SessionEnd};
use auth_proxy::testing::{Invalid, TestVisitor, assert_outcome, assert_signed_in};
use auth_proxy::{AuthProxy, Policy, RawToken, Session, Token, User, auth_proxy, require_session};
use axum::body::{Body, to_bytes};
use axum::extract::{FromRef, State};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use http::header::{AUTHORIZATION, CACHE_CONTROL, COOKIE, LOCATION, VARY};
use http::{HeaderMap, Request, StatusCode};
use serde_json::{Map, Value, json};
use tower::ServiceExt as _;

use crate::support::{Auth, routes};

/// Nothing listens here: a request to the upstream would be an error.
const NOWHERE: &str = "http://127.0.0.1:9";

const SECRET: &str = "a secret that is long enough for this";

fn admin() -> User {
    let extra = Map::from_iter([("role".to_owned(), json!("admin"))]);
    User { id: Some("7".into()), name: Some("Ada".into()), extra, ..User::default() }
}

/// Every kind of configuration, each without an upstream.
fn configurations() -> Vec<(&'static str, Builder<Auth>)> {
    let base = || Auth::builder().upstream_base_url(NOWHERE);
    vec![
        ("no secret", base()),
        ("secret", base().upstream_secret([SECRET])),
        ("local", base().upstream_secret([SECRET]).session_source(SessionSource::Local)),
        ("database", base().upstream_session_strategy(SessionStrategy::Database)),
        ("Better Auth", base().upstream_kind(UpstreamKind::BetterAuth)),
        ("Better Auth, secret", base().upstream_kind(UpstreamKind::BetterAuth).upstream_secret([SECRET])),
        ("two cookie names", base().upstream_kind(UpstreamKind::Authjs).upstream_secret([SECRET])),
        ("https", base().public_url("https://app.example.com").upstream_kind(UpstreamKind::Authjs)),
        ("trusted proxy", base().trusted_proxies(["10.0.0.0/8"]).upstream_kind(UpstreamKind::Authjs)),
        ("next-auth 4", base().upstream_kind(UpstreamKind::NextAuthV4).upstream_secret([SECRET])),
        ("cache", base().session_cache(Duration::from_secs(30))),
    ]
}

async fn send(app: &Router, request: Request<Body>) -> Response {
    app.clone().oneshot(request).await.unwrap()
}

async fn body(response: Response) -> String {
    String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap()
}

async fn answer(app: &Router, visitor: &TestVisitor<impl AuthProxy>, path: &str) -> String {
    let response = send(app, visitor.get(path)).await;
    assert_signed_in(&response);
    body(response).await
}

const REQUIRED: [&str; 6] = ["/session", "/token", "/protected", "/group/a", "/admin", "/admins/a"];

#[tokio::test]
async fn signed_in_visitor_passes_every_extractor_and_guard_of_every_configuration() {
    for (name, builder) in configurations() {
        let auth = builder.build().unwrap();
        let app = routes(&auth);
        let ada = auth.sign_in_as(admin());
        for path in
            REQUIRED.into_iter().chain(["/plain", "/session/optional", "/token/optional", "/token/raw"])
        {
            assert_signed_in(&send(&app, ada.get(path)).await);
        }
        let session: Value = serde_json::from_str(&answer(&app, &ada, "/session").await).unwrap();
        assert_eq!(
            (&session["user"]["name"], &session["user"]["role"]),
            (&json!("Ada"), &json!("admin")),
            "{name}"
        );
        let token: Value = serde_json::from_str(&answer(&app, &ada, "/token").await).unwrap();
        assert_eq!(
            (&token["sub"], &token["name"], &token["role"]),
            (&json!("7"), &json!("Ada"), &json!("admin"))
        );
        assert_eq!(answer(&app, &ada, "/everything").await, r#"["Ada","Ada","Ada",true,true]"#, "{name}");
        let bearer = ada.clone().with_bearer();
        assert!(bearer.headers().contains_key(AUTHORIZATION) && !bearer.headers().contains_key(COOKIE));
        assert!(answer(&app, &bearer, "/session/optional").await.contains("Ada"), "{name}");
    }
}

#[tokio::test]
async fn other_visitors_are_refused_with_their_outcome_in_every_configuration() {
    for (name, builder) in configurations() {
        let auth = builder.build().unwrap();
        let app = routes(&auth);
        for (visitor, outcome, code) in [
            (auth.signed_out(), Outcome::Absent, "session_absent"),
            (auth.invalid_visitor(Invalid::Expired), Outcome::Invalid, "token_expired"),
            (auth.invalid_visitor(Invalid::Tampered), Outcome::Invalid, "token_tampered"),
            (auth.invalid_visitor(Invalid::Ended), Outcome::Invalid, "session_refused"),
            (auth.upstream_down(), Outcome::Unavailable, "upstream_unreachable"),
        ] {
            for path in REQUIRED {
                let response = send(&app, visitor.get(path)).await;
                assert_outcome(&response, outcome);
                assert!(body(response).await.contains(&format!(r#""code":"{code}""#)), "{name} {path}");
            }
            for path in ["/session/optional", "/token/optional"] {
                let response = send(&app, visitor.get(path)).await;
                if outcome == Outcome::Unavailable {
                    assert_outcome(&response, outcome);
                } else {
                    assert_eq!((response.status(), body(response).await.as_str()), (StatusCode::OK, "null"));
                }
            }
        }
        // A Bearer token that is invalid stays an error where a session is optional.
        let program = auth.invalid_visitor(Invalid::Expired).with_bearer();
        let response = send(&app, program.get("/session/optional")).await;
        assert_outcome(&response, Outcome::Invalid);
        assert_eq!(response.headers()["www-authenticate"], r#"Bearer error="invalid_token""#, "{name}");
        let member = auth.sign_in_as(User { name: Some("Bo".into()), ..User::default() });
        assert_outcome(&send(&app, member.get("/admin")).await, Outcome::Forbidden);
        assert_outcome(&send(&app, member.get("/admins/a")).await, Outcome::Forbidden);
    }
}

/// The test of an attacker: the headers of a visitor, sent to the same app.
#[tokio::test]
async fn headers_of_a_test_visitor_alone_sign_nobody_in() {
    for (name, builder) in configurations() {
        let auth = builder.build().unwrap();
        let app = routes(&auth);
        for ada in [auth.sign_in_as(admin()), auth.sign_in_as(admin()).with_bearer()] {
            for path in REQUIRED {
                let mut request =
                    Request::get(path).header("host", "app.example.com").body(Body::empty()).unwrap();
                request.headers_mut().extend(ada.headers());
                let response = send(&app, request).await;
                assert!(!response.status().is_success(), "{name} {path}: {}", response.status());
            }
        }
    }
}

#[tokio::test]
async fn visitor_counts_only_at_its_proxy_and_with_its_own_token() {
    let build = || Auth::builder().upstream_base_url(NOWHERE).upstream_secret([SECRET]).build().unwrap();
    let (auth, other) = (build(), build());
    let (ada, bo) =
        (auth.sign_in_as(admin()), auth.sign_in_as(User { name: Some("Bo".into()), ..User::default() }));
    let response = send(&routes(&other), ada.get("/session")).await;
    assert!(!response.status().is_success(), "another proxy of the same type");

    let app = routes(&auth);
    let mut without_cookie = ada.get("/session");
    without_cookie.headers_mut().remove(COOKIE);
    assert_outcome(&send(&app, without_cookie).await, Outcome::Absent);
    let mut swapped = ada.get("/protected");
    *swapped.headers_mut() = bo.headers();
    assert_outcome(&send(&app, swapped).await, Outcome::Invalid);
    // The last visitor who sends a request counts.
    let mut both = ada.sends(bo.get("/session"));
    *both.headers_mut() = ada.headers();
    assert!(body(send(&app, both).await).await.contains("Ada"));
}

/// It does not implement `Serialize`.
#[derive(serde::Deserialize)]
struct AppUser {
    name: String,
}

#[derive(serde::Deserialize)]
struct AppClaims {
    name: String,
    plan: Option<String>,
}

auth_proxy! {
    struct Typed<User = AppUser, Claims = AppClaims> { upstream: { base_url: "http://127.0.0.1:9" } }
}

struct Paying;

impl Policy<Typed> for Paying {
    fn allow(session: &Session<Typed>, token: Option<&Token<Typed>>) -> bool {
        !session.is_stale() && token.is_some_and(|token| token.plan.as_deref() == Some("paid"))
    }
}

#[require_session(Typed, Paying)]
async fn report(session: Session<Typed>, token: Token<Typed>) -> String {
    let theme = session.extra.get("theme").and_then(Value::as_str);
    format!("{} {} {theme:?} {}", session.user.name, token.name, session.expires.is_some())
}

/// Asks the proxy by headers, as code without extractors does.
async fn by_headers(State(auth): State<Typed>, headers: HeaderMap) -> Result<String, auth_proxy::AuthError> {
    let (session, token) = (auth.session(&headers).await?, auth.token(&headers).await?);
    let raw = auth.raw_token(&headers)?.is_some();
    let name = session.map(|session| session.user.name.clone());
    Ok(format!("{name:?} {:?} {raw}", token.map(|token| token.name.clone())))
}

async fn ended(session: Session<Typed>) -> String {
    match tokio::time::timeout(Duration::from_millis(50), session.ended()).await {
        Ok(SessionEnd::Expired) => "expired".to_owned(),
        Ok(_) => "signed out".to_owned(),
        Err(_) => "open".to_owned(),
    }
}

fn typed(builder: Builder<Typed>) -> (Typed, Router) {
    let auth = builder.build().unwrap();
    let recent = auth.require(all((role("admin"), max_age(Duration::from_secs(60)))));
    let app = Router::new()
        .route("/recent", get(async || "ok"))
        .route_layer(recent)
        .route("/report", get(report))
        .route("/headers", get(by_headers))
        .route("/ended", get(ended))
        .route("/session", get(async |session: Session<Typed>| session.user.name.clone()))
        .route("/token", get(async |token: Token<Typed>| token.plan.clone().unwrap_or_default()));
    (auth.clone(), auth.attach(app).with_state(auth))
}

#[tokio::test]
async fn user_and_claims_become_the_apps_own_types() {
    for decodes in [false, true] {
        let (auth, app) = typed(Typed::builder().upstream_secret(decodes.then_some(SECRET)));
        let mut data = SessionData::new(json!({ "name": "Ada" }));
        data.expires = Some(UNIX_EPOCH + Duration::from_secs(4_102_444_800));
        data.extra.insert("theme".to_owned(), json!("dark"));
        let ada = auth.sign_in_with(data).with_claims(json!({ "name": "Ada L.", "plan": "paid" }));
        if decodes {
            assert_eq!(answer(&app, &ada, "/report").await, r#"Ada Ada L. Some("dark") true"#);
            assert_eq!(answer(&app, &ada, "/headers").await, r#"Some("Ada") Some("Ada L.") true"#);
        } else {
            // As with a real visitor: claims are those of the session, and a policy gets no token.
            assert_outcome(&send(&app, ada.get("/report")).await, Outcome::Forbidden);
            assert_eq!(answer(&app, &ada, "/headers").await, r#"Some("Ada") Some("Ada") true"#);
        }
        assert_outcome(
            &send(&app, ada.clone().with_stale_session().get("/report")).await,
            Outcome::Forbidden,
        );
        let free = auth.sign_in_as(json!({ "name": "Bo" }));
        assert_outcome(&send(&app, free.get("/report")).await, Outcome::Forbidden);
        assert_eq!(answer(&app, &free, "/ended").await, "open");
        assert_eq!(answer(&app, &auth.signed_out(), "/headers").await, "None None false");
        let down = send(&app, auth.upstream_down().get("/headers")).await;
        assert_outcome(&down, Outcome::Unavailable);
    }
}

/// The rules read the session as the upstream sends it.
#[tokio::test]
async fn rules_decide_about_a_test_visitor() {
    let (auth, app) = typed(Typed::builder());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let visitor =
        |role: &str, at: u64| auth.sign_in_as(json!({ "name": "Ada", "role": role, "auth_time": at }));
    assert_eq!(answer(&app, &visitor("admin", now), "/recent").await, "ok");
    assert_outcome(&send(&app, visitor("member", now).get("/recent")).await, Outcome::Forbidden);
    let early = send(&app, visitor("admin", now - 3_600).get("/recent")).await;
    assert!(failure(|| assert_signed_in(&early)).contains("`step_up_required`"));
}

#[tokio::test]
async fn user_that_does_not_fit_is_an_error_that_names_the_field() {
    let (auth, app) = typed(Typed::builder());
    let nobody = auth.sign_in_as(json!({ "email": "ada@example.com" }));
    let response = send(&app, nobody.get("/session")).await;
    assert_eq!(
        failure(|| assert_signed_in(&response)),
        "the visitor should be signed in, but the response is 502 Bad Gateway with the code `user_mismatch` \
         (unavailable): `behaviour::sign_in_as::AppUser` needs the field `name`, which is missing"
    );
    assert_eq!(failure(|| drop(auth.sign_in_as("Ada"))), "the user must be a JSON object, not a string");
}

/// Tokens that Better Auth issues beside its sessions: only a Bearer token with claims of its own is one.
#[tokio::test]
async fn claims_of_an_issued_token_count_only_for_a_bearer_token() {
    let auth = Auth::builder().upstream_base_url(NOWHERE).upstream_kind(UpstreamKind::BetterAuth);
    let auth = auth
        .upstream_token(TokenFormat::Jwks)
        .upstream_audience(Expected::Any)
        .upstream_issuer(Expected::Is("https://auth.example.com".to_owned()));
    let auth = auth.build().unwrap();
    let app = routes(&auth);
    let ada = auth.sign_in_as(admin()).with_claims(json!({ "sub": "7", "scope": "read" }));
    assert!(!answer(&app, &ada, "/token").await.contains("scope"));
    assert!(answer(&app, &ada.with_bearer(), "/token").await.contains(r#""scope":"read""#));
}

fn failure(of: impl FnOnce()) -> String {
    *std::panic::catch_unwind(std::panic::AssertUnwindSafe(of))
        .expect_err("the assertion holds")
        .downcast()
        .unwrap()
}

#[tokio::test]
async fn assertions_fail_with_the_code_of_the_problem() {
    let auth = Auth::builder().upstream_base_url(NOWHERE).build().unwrap();
    let app = routes(&auth);
    let absent = send(&app, auth.signed_out().get("/session")).await;
    assert_eq!(
        failure(|| assert_signed_in(&absent)),
        "the visitor should be signed in, but the response is 401 Unauthorized with the code `session_absent` (absent)"
    );
    assert_eq!(
        failure(|| assert_outcome(&absent, Outcome::Unavailable)),
        "the outcome should be unavailable, but the response is 401 Unauthorized with the code `session_absent` (absent)"
    );
    let present = send(&app, auth.sign_in_as(admin()).get("/session")).await;
    assert_eq!(
        failure(|| assert_outcome(&present, Outcome::Absent)),
        "the outcome should be absent, but the response is 200 OK without a problem code: a handler of the app answered"
    );
    let missing = send(&app, auth.sign_in_as(admin()).get("/nowhere")).await;
    assert_eq!(
        failure(|| assert_signed_in(&missing)),
        "the visitor should be signed in, but the response is 404 Not Found without a problem code: a route is missing, \
         or a handler of the app answered"
    );
}

#[tokio::test]
async fn redirects_and_cache_marks_are_those_of_real_requests() {
    let auth = Auth::builder().upstream_base_url(NOWHERE).upstream_secret([SECRET]).build().unwrap();
    let app = routes(&auth);
    for (visitor, outcome) in
        [(auth.signed_out(), Outcome::Absent), (auth.invalid_visitor(Invalid::Tampered), Outcome::Invalid)]
    {
        let page = Request::get("/group/a").header("accept", "text/html").body(Body::empty()).unwrap();
        let response = send(&app, visitor.sends(page)).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        assert_eq!(response.headers()[LOCATION], "/api/auth/signin?callbackUrl=%2Fgroup%2Fa");
        assert_outcome(&response, outcome);
        assert!(failure(|| assert_signed_in(&response)).contains("303 See Other with the code"));
    }
    for path in ["/session", "/group/a", "/protected"] {
        let response = send(&app, auth.sign_in_as(admin()).get(path)).await;
        assert_eq!(response.headers()[CACHE_CONTROL], "private", "{path}");
        assert_eq!(response.headers()[VARY], "cookie, authorization", "{path}");
    }
    let public = send(&app, auth.sign_in_as(admin()).get("/plain")).await;
    assert!(!public.headers().contains_key(CACHE_CONTROL));
}

auth_proxy! {
    struct Staff { base_path: "/staff/auth", upstream: { base_url: "http://127.0.0.1:9", cookie_name: "staff" } }
}

#[derive(Clone)]
struct Both {
    auth: Auth,
    staff: Staff,
}

impl FromRef<Both> for Auth {
    fn from_ref(both: &Both) -> Self {
        both.auth.clone()
    }
}

impl FromRef<Both> for Staff {
    fn from_ref(both: &Both) -> Self {
        both.staff.clone()
    }
}

#[tokio::test]
async fn visitors_of_two_proxies_send_one_request() {
    let auth = Auth::builder().upstream_base_url(NOWHERE).build().unwrap();
    let staff = Staff::from_env().unwrap();
    let names = async |one: Option<Session<Auth>>, other: Option<Session<Staff>>, raw: RawToken<Staff>| {
        let name = |user: &User| user.name.clone();
        Json(json!([one.map(|s| name(&s.user)), other.map(|s| name(&s.user)), raw.as_str().len() > 9]))
    };
    let app =
        Router::new().route("/", get(names)).with_state(Both { auth: auth.clone(), staff: staff.clone() });
    let app = staff.attach(auth.attach(app));
    let bo = staff.sign_in_as(User { name: Some("Bo".into()), ..User::default() });
    assert_eq!(answer(&app, &bo, "/").await, r#"[null,"Bo",true]"#);
    let both = send(&app, auth.sign_in_as(admin()).sends(bo.get("/"))).await;
    assert_eq!(body(both).await, r#"["Ada","Bo",true]"#);
}

#[test]
fn debug_of_a_test_visitor_shows_no_user() {
    let auth = Auth::builder().upstream_base_url(NOWHERE).build().unwrap();
    let shown = format!("{:?}", auth.sign_in_as(admin()));
    assert!(shown.contains("test-visitor-") && !shown.contains("Ada"), "{shown}");
    assert_eq!(format!("{:?}", auth.signed_out()), "TestVisitor { token: None, .. }");
}
