//! A client over a real connection, with a fake login server.

use auth_proxy::testing::{FakeUpstream, Fault};
use reqwest::header::{ACCEPT, COOKIE, LOCATION};
use reqwest::redirect::Policy;
use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn service_answers_each_outcome() {
    let login = FakeUpstream::start().await.unwrap();
    let auth = Auth::builder().upstream_base_url(login.url()).build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/reports?year=2025", listener.local_addr().unwrap());
    tokio::spawn(async move { serve(listener, &auth).await });
    let client = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
    let cookie = login.cookie(&json!({ "sub": "1", "name": "Ada" }));

    let hello = client.get(&address).header(COOKIE, &cookie).send().await.unwrap();
    assert_eq!(hello.headers()["cache-control"], "private");
    assert!(hello.headers().contains_key("set-cookie"), "the renewed cookie reaches the browser");
    assert_eq!(hello.text().await.unwrap(), "hello, Ada");

    let absent = client.get(&address).send().await.unwrap();
    assert_eq!(absent.status(), 401);
    assert_eq!(absent.json::<Value>().await.unwrap()["code"], "session_absent");
    let page = client.get(&address).header(ACCEPT, "text/html").send().await.unwrap();
    assert_eq!(page.headers()[LOCATION], "/api/auth/signin?callbackUrl=%2Freports%3Fyear%3D2025");

    login.set_fault(Some(Fault::Refused)).await.unwrap();
    let down = client.get(&address).header(COOKIE, &cookie).send().await.unwrap();
    assert_eq!((down.status().as_u16(), down.headers().contains_key("retry-after")), (502, true));
}
