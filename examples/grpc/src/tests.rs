//! A client of tonic over a real connection, with a fake login server.

use auth_proxy::testing::{FakeUpstream, Fault};
use serde_json::json;
use tonic::Code;
use tonic::transport::{Channel, Endpoint};

use super::*;
use crate::greeter::greeter_client::GreeterClient;
use crate::reports::reports_client::ReportsClient;

async fn serve(auth: &Auth) -> (String, Channel) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let app = app(auth).into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
    let channel = Endpoint::from_shared(address.clone()).unwrap().connect().await.unwrap();
    (address, channel)
}

/// A call with these metadata.
fn call(name: &'static str, value: &str) -> Request<Nothing> {
    let mut request = Request::new(Nothing {});
    request.metadata_mut().insert(name, value.parse().unwrap());
    request
}

#[tokio::test]
async fn calls_have_the_status_of_their_outcome() {
    let login = FakeUpstream::builder().session_claims(["role"]).start().await.unwrap();
    let auth = Auth::builder().upstream_base_url(login.url()).build().unwrap();
    let (_, channel) = serve(&auth).await;
    let (mut greeter, mut reports) = (GreeterClient::new(channel.clone()), ReportsClient::new(channel));
    let cookie = |role: &str| login.cookie(&json!({ "sub": "1", "name": "Ada", "role": role }));
    let (ada, bo) = (cookie("admin"), cookie("member"));
    let (_, token) = ada.split_once('=').unwrap();

    let hello = greeter.hello(call("cookie", &ada)).await.unwrap().into_inner();
    assert_eq!(hello.text, "hello, Ada");
    let hello = greeter.hello(call("authorization", &format!("Bearer {token}"))).await.unwrap().into_inner();
    assert_eq!(hello.text, "hello, Ada");
    assert_eq!(reports.figures(call("cookie", &ada)).await.unwrap().into_inner().text, "the figures");

    let refused = |status: Status| (status.code(), status.message().to_owned());
    let absent = refused(greeter.hello(Nothing {}).await.unwrap_err());
    assert_eq!(absent, (Code::Unauthenticated, "you are not signed in (session_absent)".to_owned()));
    let invalid = refused(greeter.hello(call("authorization", "Bearer a.b.c.d.e")).await.unwrap_err());
    assert_eq!(invalid.0, Code::Unauthenticated);
    assert!(invalid.1.ends_with("(token_malformed)"), "{}", invalid.1);
    let forbidden = refused(reports.figures(call("cookie", &bo)).await.unwrap_err());
    assert_eq!(forbidden.0, Code::PermissionDenied);
    assert!(forbidden.1.ends_with("(policy_refused)"), "{}", forbidden.1);
    // A client that accepts HTML gets no redirect.
    let page = refused(greeter.hello(call("accept", "text/html")).await.unwrap_err());
    assert_eq!(page.0, Code::Unauthenticated);

    login.set_fault(Some(Fault::Refused)).await.unwrap();
    let down = refused(greeter.hello(call("cookie", &ada)).await.unwrap_err());
    assert_eq!(down.0, Code::Unavailable, "{}", down.1);
}
