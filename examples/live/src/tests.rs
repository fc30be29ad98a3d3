//! Clients over real connections, with a fake login server. The visitor signs out while they are connected.

use auth_proxy::testing::FakeUpstream;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{self, Message, http};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::{Auth, Duration, SocketAddr, app};

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

const SOON: Duration = Duration::from_secs(10);

async fn serve(login: &FakeUpstream) -> SocketAddr {
    let auth = Auth::builder().upstream_base_url(login.url()).build().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = app(auth).into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
    address
}

async fn connect(address: SocketAddr, headers: &[(&'static str, &str)]) -> Result<Socket, http::StatusCode> {
    let mut request = format!("ws://{address}/socket").into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    match tokio_tungstenite::connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::Error::Http(response)) => Err(response.status()),
        Err(error) => panic!("{error}"),
    }
}

/// Signs out at the app with this session cookie.
async fn sign_out(address: SocketAddr, cookie: &str) {
    let client =
        reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let csrf = client.get(format!("http://{address}/api/auth/csrf")).send().await.unwrap();
    let set = csrf
        .headers()
        .get_all("set-cookie")
        .iter()
        .map(|line| line.to_str().unwrap().split(';').next().unwrap());
    let cookies = set.chain([cookie]).collect::<Vec<_>>().join("; ");
    let body: Value = serde_json::from_slice(&csrf.bytes().await.unwrap()).unwrap();
    let answer = client
        .post(format!("http://{address}/api/auth/signout"))
        .header("cookie", cookies)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("csrfToken={}", body["csrfToken"].as_str().unwrap()))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 302);
}

#[tokio::test]
async fn sign_out_closes_the_socket_and_ends_the_event_stream() {
    let login = FakeUpstream::start().await.unwrap();
    let address = serve(&login).await;
    let cookie = login.cookie(&json!({ "sub": "1", "name": "Ada" }));
    let origin = format!("http://{address}");
    let mut socket = connect(address, &[("cookie", &cookie), ("origin", &origin)]).await.unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let events = client.get(format!("{origin}/events")).header("cookie", &cookie).send().await.unwrap();
    let mut events = events.bytes_stream();
    assert_eq!(events.next().await.unwrap().unwrap(), "data: tick\n\n");

    sign_out(address, &cookie).await;
    let close = timeout(SOON, socket.next()).await.expect("the socket stays open").unwrap().unwrap();
    let Message::Close(Some(frame)) = close else { panic!("{close:?}") };
    assert_eq!((u16::from(frame.code), frame.reason.as_str()), (1008, "signed out"));
    let rest = events.for_each(async |event| drop(event.unwrap()));
    timeout(SOON, rest).await.expect("the event stream goes on");
}

#[tokio::test]
async fn socket_is_refused_to_guests_and_to_pages_of_other_sites() {
    let login = FakeUpstream::start().await.unwrap();
    let address = serve(&login).await;
    let cookie = login.cookie(&json!({ "sub": "1" }));
    assert_eq!(connect(address, &[]).await.err().unwrap(), 401);
    let foreign = connect(address, &[("cookie", &cookie), ("origin", "https://evil.example")]).await;
    assert_eq!(foreign.err().unwrap(), 403);
}
