//! The guard as a layer in front of services that are not axum's: other bodies, other responses, and gRPC.

use std::convert::Infallible;
use std::time::Duration;

use auth_proxy::errors::Outcome;
use auth_proxy::guards::GuardRejection;
use auth_proxy::options::Builder;
use auth_proxy::rules::{max_age, role};
use auth_proxy::testing::{FakeUpstream, Invalid, TestVisitor, assert_outcome};
use auth_proxy::{Session, User};
use bytes::Bytes;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, COOKIE, LOCATION, RETRY_AFTER};
use http::{Request, Response, StatusCode};
use serde_json::{Map, json};
use tower::{Layer, Service, ServiceExt as _, service_fn};

use crate::metrics::{recorder, samples, sum};
use crate::support::Auth;

const SECRET: &str = "a secret that is long enough for this";

/// The body of a request that is neither `Send`-able over a network nor known to axum.
#[derive(Debug, PartialEq)]
struct Body(&'static str);

/// The body of a response that axum does not know either.
#[derive(Debug, Default, PartialEq)]
struct Answer(String);

/// Answers with the name of the session that the layer found, and the body of the request.
async fn hello(request: Request<Body>) -> Result<Response<Answer>, Infallible> {
    let session = request.extensions().get::<Session<Auth>>();
    let name = session.map(|session| session.user.name.clone().unwrap_or_default());
    Ok(Response::new(Answer(format!("{name:?} {}", request.body().0))))
}

fn builder() -> Builder<Auth> {
    Auth::builder().upstream_base_url("http://127.0.0.1:9")
}

fn admin() -> User {
    User { extra: Map::from_iter([("role".to_owned(), json!("admin"))]), ..named("Ada") }
}

fn named(name: &str) -> User {
    User { name: Some(name.to_owned()), ..User::default() }
}

fn request() -> Request<Body> {
    Request::get("/reports").body(Body("body")).unwrap()
}

async fn send<L>(layer: &L, request: Request<Body>) -> Response<Answer>
where
    L: Layer<HelloService>,
    L::Service: Service<Request<Body>, Response = Response<Answer>, Error = Infallible>,
{
    let service: HelloService = service_fn(|request| Box::pin(hello(request)) as HelloFuture);
    layer.layer(service).oneshot(request).await.unwrap()
}

type HelloFuture = std::pin::Pin<Box<dyn Future<Output = Result<Response<Answer>, Infallible>> + Send>>;
type HelloService = tower::util::ServiceFn<fn(Request<Body>) -> HelloFuture>;

fn grpc_status(response: &Response<Answer>) -> (i32, String) {
    let header = |name| response.headers().get(name).map_or("", |value| value.to_str().unwrap());
    (header("grpc-status").parse().unwrap_or(0), header("grpc-message").to_owned())
}

/// The visitors, with the outcome of a guard without a rule and its code in gRPC.
fn refused(auth: &Auth) -> [(TestVisitor<Auth>, Outcome, &'static str, i32, u16); 5] {
    [
        (auth.signed_out(), Outcome::Absent, "session_absent", 16, 401),
        (auth.invalid_visitor(Invalid::Expired), Outcome::Invalid, "token_expired", 16, 401),
        (auth.invalid_visitor(Invalid::Ended), Outcome::Invalid, "session_refused", 16, 401),
        (auth.invalid_visitor(Invalid::Tampered).with_bearer(), Outcome::Invalid, "token_tampered", 16, 401),
        (auth.upstream_down(), Outcome::Unavailable, "upstream_unreachable", 14, 502),
    ]
}

#[tokio::test]
async fn grpc_guard_answers_with_the_status_of_the_outcome_and_never_redirects() {
    for secret in [None, Some(SECRET)] {
        let auth = builder().upstream_secret(secret).build().unwrap();
        let layer = auth.require_any_session().grpc();
        let passed = send(&layer, auth.sign_in_as(named("Ada")).sends(request())).await;
        assert_eq!(passed.body(), &Answer("None body".to_owned()));
        for (visitor, outcome, code, grpc, _) in refused(&auth) {
            let mut request = visitor.sends(request());
            request.headers_mut().insert(ACCEPT, "text/html".parse().unwrap());
            let response = send(&layer, request).await;
            assert_outcome(&response, outcome);
            let (status, message) = grpc_status(&response);
            assert_eq!(status, grpc, "{code}");
            assert!(message.ends_with(&format!("({code})")), "{message}");
            assert_eq!((response.status(), response.body()), (StatusCode::OK, &Answer::default()));
            assert_eq!(response.headers()[CONTENT_TYPE], "application/grpc");
            assert!(!response.headers().contains_key(LOCATION));
        }
    }
}

#[tokio::test]
async fn grpc_guard_tells_a_refusal_from_a_step_up() {
    let auth = builder().build().unwrap();
    let bo = auth.sign_in_as(named("Bo"));
    let forbidden = send(&auth.require(role("admin")).grpc(), bo.sends(request())).await;
    assert_eq!(grpc_status(&forbidden).0, 7);
    let recent = auth.require(max_age(Duration::from_secs(60))).grpc();
    let early = auth.sign_in_as(json!({ "name": "Bo", "auth_time": 1_700_000_000 }));
    let (status, message) = grpc_status(&send(&recent, early.sends(request())).await);
    assert_eq!(status, 16, "a new sign-in helps");
    assert!(message.ends_with("(step_up_required)"), "{message}");
}

#[tokio::test]
async fn layer_puts_the_session_into_the_extensions_where_the_token_alone_would_do() {
    for secret in [None, Some(SECRET)] {
        let auth = builder().upstream_secret(secret).build().unwrap();
        let ada = auth.sign_in_as(admin());
        let members = auth.require_any_session().with_session().grpc();
        let passed = send(&members, ada.sends(request())).await;
        assert_eq!(passed.body().0, r#"Some("Ada") body"#);
        assert_eq!(passed.headers()[CACHE_CONTROL], "private");
        let admins = auth.require(role("admin")).grpc().with_session();
        assert_eq!(send(&admins, ada.sends(request())).await.body().0, r#"Some("Ada") body"#);
        assert_eq!(grpc_status(&send(&admins, auth.signed_out().sends(request())).await).0, 16);
    }
}

/// A token that decodes here, of a session that has ended at the upstream.
#[tokio::test]
async fn layer_with_session_refuses_a_token_without_a_session() {
    let upstream = FakeUpstream::start().await.unwrap();
    let other = FakeUpstream::builder().secret("another secret that is long enough").start().await.unwrap();
    let auth =
        Auth::builder().upstream_base_url(upstream.url()).upstream_secret([other.secret()]).build().unwrap();
    let request = || {
        let cookie = other.cookie(&json!({ "sub": "1", "name": "Ada" }));
        Request::get("/").header("host", "app").header(COOKIE, cookie).body(Body("body")).unwrap()
    };
    let passed = send(&auth.require_any_session().grpc(), request()).await;
    assert_eq!(passed.body().0, "None body", "the guard needs the token alone");
    let refused = send(&auth.require_any_session().with_session().grpc(), request()).await;
    assert!(grpc_status(&refused).1.ends_with("(session_refused)"), "{refused:?}");
}

#[tokio::test]
async fn session_layer_lets_guests_pass_and_stays_closed_in_an_outage() {
    let auth = builder().build().unwrap();
    let layer = auth.session_layer().grpc();
    let body = async |visitor: TestVisitor<Auth>| send(&layer, visitor.sends(request())).await.into_body().0;
    assert_eq!(body(auth.sign_in_as(named("Ada"))).await, r#"Some("Ada") body"#);
    assert_eq!(body(auth.signed_out()).await, "None body");
    assert_eq!(body(auth.invalid_visitor(Invalid::Expired)).await, "None body");
    let program = auth.invalid_visitor(Invalid::Expired).with_bearer();
    assert_eq!(grpc_status(&send(&layer, program.sends(request())).await).0, 16);
    assert_eq!(grpc_status(&send(&layer, auth.upstream_down().sends(request())).await).0, 14);
}

#[tokio::test]
async fn decision_of_each_layer_counts_once() {
    let (recorder, handle) = recorder();
    let _guard = ::metrics::set_default_local_recorder(&recorder);
    let auth = builder().upstream_secret([SECRET]).build().unwrap();
    let (ada, nobody) = (auth.sign_in_as(admin()), auth.signed_out());
    let send_both = async |layer| {
        for visitor in [&ada, &nobody] {
            send(&layer, visitor.sends(request())).await;
        }
    };
    send_both(auth.require_any_session().grpc()).await;
    send_both(auth.require_any_session().with_session().grpc()).await;
    let admins = auth.require(role("admin")).with_session().grpc();
    for visitor in [&ada, &nobody] {
        send(&admins, visitor.sends(request())).await;
    }
    let guests = auth.session_layer().grpc();
    for visitor in [&ada, &nobody] {
        send(&guests, visitor.sends(request())).await;
    }
    let samples = samples(&handle);
    assert_eq!(sum(&samples, r#"guard_decisions_total{outcome="present""#), 4.0, "{samples:?}");
    assert_eq!(sum(&samples, "guard_decisions_total"), 8.0, "{samples:?}");
}

#[tokio::test]
async fn respond_with_makes_the_response_of_any_service() {
    let auth = builder().build().unwrap();
    let text = |body: Bytes| Answer(String::from_utf8(body.to_vec()).unwrap());
    let layer = auth
        .require_any_session()
        .respond_with(move |rejection: GuardRejection| rejection.into_http().map(text));
    for (visitor, outcome, code, _, status) in refused(&auth) {
        let response = send(&layer, visitor.sends(request())).await;
        assert_outcome(&response, outcome);
        assert_eq!(response.status(), status);
        assert!(response.body().0.contains(&format!(r#""code":"{code}""#)), "{response:?}");
        assert_eq!(response.headers().contains_key(RETRY_AFTER), outcome == Outcome::Unavailable);
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
    }
    let mut page = auth.signed_out().sends(request());
    page.headers_mut().insert(ACCEPT, "text/html".parse().unwrap());
    let response = send(&layer, page).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(response.headers()[LOCATION], "/api/auth/signin?callbackUrl=%2Freports");
    let own = auth
        .require_any_session()
        .respond_with(|rejection| Response::new(Answer(rejection.error().code().into())));
    assert_eq!(send(&own, auth.signed_out().sends(request())).await.body().0, "session_absent");
}

/// A service with a response that axum can convert needs no function.
#[tokio::test]
async fn guard_and_cookie_layer_take_a_request_body_that_axum_does_not_know() {
    let auth = builder().build().unwrap();
    let hello = service_fn(async |request: Request<Body>| Ok::<_, Infallible>(request.into_body().0));
    let service = auth.session_cookie_layer().layer(auth.require_any_session().layer(hello));
    let passed = service.clone().oneshot(auth.sign_in_as(named("Ada")).sends(request())).await.unwrap();
    assert_eq!(
        (passed.status(), &passed.headers()[CACHE_CONTROL]),
        (StatusCode::OK, &"private".parse().unwrap())
    );
    let refused = service.oneshot(auth.signed_out().sends(request())).await.unwrap();
    assert_outcome(&refused, Outcome::Absent);
}
