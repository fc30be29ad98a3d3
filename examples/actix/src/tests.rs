//! A client over a real connection, with a fake login server.

use auth_proxy::testing::{FakeUpstream, Fault};
use serde_json::{Value, json};

use super::*;

#[actix_web::test]
async fn extractor_answers_each_outcome() {
    let login = FakeUpstream::start().await.unwrap();
    let auth = Auth::builder().upstream_base_url(login.url()).build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let server = serve(listener, auth).unwrap();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let get = async |cookie: &str| {
        let answer = client.get(&address).header("cookie", cookie).send().await.unwrap();
        let (status, retry) = (answer.status().as_u16(), answer.headers().contains_key("retry-after"));
        (status, retry, answer.text().await.unwrap())
    };
    let code = |body: &str| serde_json::from_str::<Value>(body).unwrap()["code"].clone();

    let cookie = login.cookie(&json!({ "sub": "1", "name": "Ada" }));
    assert_eq!(get(&cookie).await, (200, false, "hello, Ada".to_owned()));
    let (status, _, body) = get("").await;
    assert_eq!((status, code(&body)), (401, json!("session_absent")));
    let (status, _, body) = get("authjs.session-token=a.b.c.d.e").await;
    assert_eq!((status, code(&body)), (401, json!("token_malformed")));
    login.set_fault(Some(Fault::Refused)).await.unwrap();
    let (status, retry, body) = get(&cookie).await;
    assert_eq!((status, retry, code(&body)), (502, true, json!("upstream_unreachable")));
    handle.stop(false).await;
}
