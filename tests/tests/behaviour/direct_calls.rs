//! The helpers of `auth_proxy::testing`: direct calls of handlers and policies, and cookies that sign a visitor in.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_proxy::testing::{self, FakeUpstream};
use auth_proxy::{
    Policy, Session, Token, auth_proxy, options::SessionStrategy, require_session, sessions::SessionData,
};
use serde_json::{Map, json};

use crate::support::{Admin, Auth, app_of, users};

struct AppUser {
    name: String,
    is_admin: bool,
}

impl<'de> serde::Deserialize<'de> for AppUser {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        unreachable!("a directly called handler deserializes no user")
    }
}

#[derive(serde::Deserialize)]
struct AppClaims {
    plan: String,
}

auth_proxy! {
    struct Typed<User = AppUser, Claims = AppClaims> { upstream: { base_url: env("AUTH_UPSTREAM_URL") } }
}

struct Paying;

impl Policy<Typed> for Paying {
    fn allow(session: &Session<Typed>, token: Option<&Token<Typed>>) -> bool {
        let has_paid = token.is_some_and(|token| token.plan == "paid");
        !session.is_stale() && (session.user.is_admin || has_paid)
    }
}

#[require_session(Typed, Paying)]
async fn report(session: Session<Typed>, token: Option<Token<Typed>>) -> String {
    format!("{} {}", session.user.name, token.map_or("no plan".to_owned(), |token| token.plan.clone()))
}

#[require_session]
async fn guarded(session: Option<Session<Auth>>) -> String {
    session.map_or("signed out".to_owned(), |session| session.user.name.clone().unwrap_or_default())
}

fn ada(is_admin: bool) -> AppUser {
    AppUser { name: "Ada".to_owned(), is_admin }
}

#[tokio::test]
async fn guarded_handler_can_be_called_directly() {
    let token = testing::token(AppClaims { plan: "paid".to_owned() });
    let session = testing::session(ada(false));
    assert_eq!(report(testing::require_session(), session.clone(), Some(token)).await, "Ada paid");
    assert_eq!(report(testing::require_session(), session, None).await, "Ada no plan");
    assert_eq!(guarded(testing::require_session(), None).await, "signed out");
    let user = auth_proxy::User { name: Some("Ada".to_owned()), ..Default::default() };
    assert_eq!(guarded(testing::require_session(), Some(testing::session(user))).await, "Ada");
}

#[test]
fn policy_can_be_called_directly() {
    let member = testing::session::<Typed>(ada(false));
    let admin = testing::session::<Typed>(ada(true));
    let token = |plan: &str| testing::token::<Typed>(AppClaims { plan: plan.to_owned() });
    assert!(Paying::allow(&admin, None));
    assert!(!Paying::allow(&member, None) && !Paying::allow(&member, Some(&token("free"))));
    assert!(Paying::allow(&member, Some(&token("paid"))));
    assert!(!Paying::allow(&testing::stale(admin), None));
}

#[test]
fn testing_session_expires_in_30_days_unless_an_expiry_is_given() {
    let expires = testing::session::<Typed>(ada(false)).expires.unwrap();
    let lifetime = expires.duration_since(SystemTime::now()).unwrap();
    let month = Duration::from_secs(30 * 24 * 3600);
    assert!(lifetime <= month && lifetime > month - Duration::from_secs(60), "{lifetime:?}");
    let mut data = SessionData::new(ada(false));
    data.expires = Some(UNIX_EPOCH);
    data.extra = Map::from_iter([("plan".to_owned(), json!("free"))]);
    let session = testing::session_of::<Typed>(data);
    assert_eq!((session.expires, &session.extra["plan"]), (Some(UNIX_EPOCH), &json!("free")));
    assert!(!session.is_stale() && testing::stale(session).is_stale());
}

#[tokio::test]
async fn fake_upstream_cookie_signs_a_visitor_in() {
    for strategy in [SessionStrategy::Jwt, SessionStrategy::Database] {
        let builder = users(FakeUpstream::builder().strategy(strategy).cookie_name("sid"));
        let upstream = builder.start().await.unwrap();
        let auth = Auth::builder()
            .upstream_base_url(upstream.url())
            .upstream_cookie_name("sid")
            .upstream_session_strategy(strategy);
        let (_app, browser) = app_of(auth).await;
        let ada = json!({ "sub": "9", "name": "Ada", "role": "admin" });
        let cookie = upstream.cookie(&ada);
        assert!(cookie.starts_with("sid="), "{cookie}");
        let headers = [("cookie", cookie.as_str())];
        let session = browser.get_with("/session", &headers).await.json();
        assert_eq!((&session["user"]["name"], &session["user"]["id"]), (&json!("Ada"), &json!("9")));
        assert_eq!(browser.get_with("/admin", &headers).await.body, "ok", "{strategy:?}");
        // Each call of `cookie` makes a new session.
        assert_ne!(upstream.cookie(&ada), cookie);
    }
}

#[tokio::test]
async fn fake_upstream_issues_chunked_and_expired_session_cookies() {
    let upstream = users(FakeUpstream::builder()).start().await.unwrap();
    let auth = Auth::builder().upstream_base_url(upstream.url()).upstream_secret([upstream.secret()]);
    let (_app, browser) = app_of(auth).await;
    let large = upstream.cookie(&json!({ "sub": "9", "pad": "x".repeat(8_000) }));
    assert!(large.starts_with("authjs.session-token.0=") && large.contains("; authjs.session-token.2="));
    for path in ["/session", "/token", "/protected"] {
        assert_eq!(browser.get_with(path, &[("cookie", &large)]).await.status, 200, "{path}");
    }
    let expired = upstream.cookie(&json!({ "sub": "9", "exp": 1_700_000_000 }));
    assert_eq!(browser.get_with("/token", &[("cookie", &expired)]).await.code(), "token_expired");
    assert_eq!(browser.get_with("/session", &[("cookie", &expired)]).await.code(), "session_refused");
}

/// The policy `Admin` reads the role from the default `User` and `Claims` types.
#[test]
fn default_user_and_claims_can_be_constructed_directly() {
    let extra = Map::from_iter([("role".to_owned(), json!("admin"))]);
    let user = |extra: &Map<_, _>| auth_proxy::User { extra: extra.clone(), ..Default::default() };
    assert!(Admin::allow(&testing::session(user(&extra)), None));
    let without_role = testing::session(user(&Map::new()));
    assert!(!Admin::allow(&without_role, None));
    let claims = auth_proxy::Claims { extra, ..Default::default() };
    assert!(Admin::allow(&without_role, Some(&testing::token(claims))));
}
