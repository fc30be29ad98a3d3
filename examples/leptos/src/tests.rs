//! Calls the functions over a real connection, with a fake login server.

use auth_proxy::testing::FakeUpstream;
use serde_json::json;

use super::*;

#[tokio::test]
async fn server_functions_know_the_visitor() {
    let login = FakeUpstream::start().await.unwrap();
    let auth = Auth::builder().upstream_base_url(login.url()).build().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let app = app(&auth).into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let cookie = login.cookie(&json!({ "sub": "1", "name": "Ada" }));
    let call = async |path: &str, cookie: &str, site: &str| {
        let request =
            client.post(format!("{address}{path}")).header("cookie", cookie).header("sec-fetch-site", site);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.header("accept", "application/json").send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(call("/api/visitor", &cookie, "same-origin").await, (200, r#""Ada""#.to_owned()));
    assert_eq!(call("/api/visitor", "", "same-origin").await, (200, "null".to_owned()));
    assert_eq!(
        call("/api/members/figures", &cookie, "same-origin").await,
        (200, r#""the figures""#.to_owned())
    );
    let (status, body) = call("/api/members/figures", "", "same-origin").await;
    assert!(status == 401 && body.contains("session_absent"), "{status} {body}");
    let (status, body) = call("/api/members/figures", &cookie, "cross-site").await;
    assert!(status == 403 && body.contains("cross_origin_refused"), "{status} {body}");
}
