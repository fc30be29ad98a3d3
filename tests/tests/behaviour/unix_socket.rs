//! An upstream that listens on a Unix socket.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use auth_proxy::auth_proxy;
use auth_proxy::options::{Builder, Host};
use auth_proxy::testing::FakeUpstream;
use auth_proxy_tests::doctor::{change, codes};
use auth_proxy_tests::unix_socket::{UnixSocket, free_socket};
use auth_proxy_tests::{App, Browser, SpanCapture};
use axum::Router;
use axum::extract::Request;
use axum::http::header::HOST;
use axum::http::{HeaderMap, StatusCode};

use crate::support::unreliable::{ADA, COOKIE, session};
use crate::support::{Auth, app_of, routes, upstream};

fn at(url: &str) -> Builder<Auth> {
    auth_proxy_tests::watch::start();
    Auth::builder().upstream_base_url(url)
}

/// Ada's upstream, behind a socket.
async fn ada() -> (App, UnixSocket) {
    let upstream = App::start(Router::new().fallback(|| async { ADA })).await;
    let socket = UnixSocket::before(&upstream.url(""));
    (upstream, socket)
}

#[tokio::test]
async fn sign_in_sessions_and_sign_out_pass_through_the_socket() {
    let upstream = upstream().await;
    let socket = UnixSocket::before(upstream.url());
    let (app, browser) = app_of(at(&socket.url())).await;
    assert_eq!(browser.get("/protected").await.status, 401);
    assert_eq!(browser.sign_in("demo", "demo").await.header("location"), app.url("/"));
    assert_eq!(browser.get("/session").await.json()["user"]["name"], "Demo");
    assert_eq!(browser.get("/api/auth/session").await.json()["user"]["email"], "demo@example.com");
    // A Unix socket is internal, so `upstream.host: auto` preserves the host.
    let own = app.addr.to_string();
    assert!(upstream.seen().iter().all(|seen| seen.headers[HOST] == own.as_str()));
    browser.sign_out().await;
    assert_eq!(browser.get("/protected").await.status, 401);
    // One connection is used again and again.
    assert_eq!(upstream.open_connections(), 1);
}

/// A socket has no name. curl, Node and Docker send `localhost` then.
#[tokio::test]
async fn host_of_the_socket_is_localhost_and_its_urls_are_rewritten() {
    let answer = |request: Request| async move {
        let host = request.headers()[HOST].to_str().unwrap().to_owned();
        let to = format!("http://{host}{}?from={host}", request.uri().path());
        (StatusCode::FOUND, [("location", to)])
    };
    let upstream = App::start(Router::new().fallback(answer)).await;
    let socket = UnixSocket::before(&upstream.url(""));
    let prefixed = format!("{}:/tenant/", socket.url());
    let (_app, browser) = app_of(at(&prefixed).upstream_host(Host::Upstream)).await;
    let answer = browser.get("/api/auth/error").await;
    // The prefix is added for the upstream, and removed from what it answers.
    assert_eq!(answer.header("location"), "/api/auth/error?from=localhost");
}

#[tokio::test]
async fn outage_ends_when_the_server_makes_its_socket_again() {
    let (_upstream, mut socket) = ada().await;
    let (_app, browser) = app_of(at(&socket.url()).upstream_retries(0)).await;
    assert_eq!(session(&browser).await, (200, "Ada".to_owned()));
    socket.close().await;
    for path in ["/session", "/session/optional", "/protected", "/api/auth/providers"] {
        let answer = browser.get_with(path, &[("cookie", COOKIE)]).await;
        assert_eq!((answer.status, answer.code().as_str()), (502, "upstream_unreachable"), "{path}");
        // An outage is not a sign-out.
        assert_eq!(answer.header("set-cookie"), "");
    }
    socket.open();
    assert_eq!(session(&browser).await, (200, "Ada".to_owned()));
    // Killed: the file stays, and nobody listens.
    socket.kill().await;
    assert_eq!(session(&browser).await, (502, "upstream_unreachable".to_owned()));
    // A restart between two requests is not noticed: the closed connection is replaced by one to the new file.
    socket.open();
    assert_eq!(session(&browser).await, (200, "Ada".to_owned()));
    socket.close().await;
    socket.open();
    assert_eq!(session(&browser).await, (200, "Ada".to_owned()));
}

#[tokio::test]
async fn missing_socket_opens_the_circuit_and_a_probe_closes_it() {
    let (_upstream, mut socket) = ada().await;
    socket.close().await;
    let builder = at(&socket.url()).upstream_retries(0).upstream_circuit_breaker(3);
    let (_app, browser) = app_of(builder).await;
    for _ in 0..3 {
        assert_eq!(session(&browser).await, (502, "upstream_unreachable".to_owned()));
    }
    assert_eq!(session(&browser).await, (503, "circuit_open".to_owned()));
    socket.open();
    let answers = async {
        while session(&browser).await != (200, "Ada".to_owned()) {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let limit = std::time::Duration::from_secs(10);
    tokio::time::timeout(limit, answers).await.expect("a probe closes the circuit within 10 s");
}

#[tokio::test]
async fn check_tells_a_missing_socket_from_one_without_a_server() {
    let upstream = upstream().await;
    let mut socket = UnixSocket::before(upstream.url());
    let path = socket.path().display().to_string();
    let check =
        async || at(&socket.url()).public_url("https://app.example.com").build().unwrap().check().await;
    assert!(!codes(&check().await).iter().any(|code| code.contains("socket") || code.contains("connection")));
    socket.kill().await;
    let check =
        async || at(&socket.url()).public_url("https://app.example.com").build().unwrap().check().await;
    let advice = change(&check().await, "connection_refused");
    assert!(advice.contains(&path) && advice.contains("no process listens"), "{advice}");
    std::fs::remove_file(&path).unwrap();
    let report = check().await;
    let advice = change(&report, "socket_missing");
    assert!(advice.contains(&path) && advice.contains("mount the folder"), "{advice}");
    assert!(report.to_string().contains(&format!("unix:{path}:/api/auth")), "{report}");
}

/// A container engine makes a folder in place of a socket that is not there when it is mounted.
#[tokio::test]
async fn check_names_a_folder_or_a_file_in_place_of_the_socket() {
    let path = free_socket();
    let check = async |path: &Path| {
        let auth =
            at(&format!("unix:{}", path.display())).public_url("https://app.example.com").build().unwrap();
        change(&auth.check().await, "socket_missing")
    };
    std::fs::create_dir(&path).unwrap();
    let advice = check(&path).await;
    assert!(advice.contains("is a folder") && advice.contains("mount the folder"), "{advice}");
    std::fs::remove_dir(&path).unwrap();
    std::fs::write(&path, "").unwrap();
    let advice = check(&path).await;
    assert!(advice.contains("is a file and no socket"), "{advice}");
    let advice = check(&path.join("x")).await;
    assert!(advice.contains("mount the folder"), "{advice}");
    std::fs::remove_file(&path).unwrap();
}

/// Root may write to every socket. So as root, the test runs itself as `nobody`.
#[tokio::test]
async fn socket_without_permission_is_an_outage_and_no_refusal() {
    const SOCKET: &str = "AUTH_PROXY_TEST_SOCKET";
    if let Some(socket) = std::env::var_os(SOCKET) {
        return check_denied(Path::new(&socket)).await;
    }
    let (_upstream, socket) = ada().await;
    std::fs::set_permissions(socket.path(), std::fs::Permissions::from_mode(0o600)).unwrap();
    let is_root = std::fs::metadata(socket.path()).unwrap().uid() == 0;
    if !is_root {
        std::fs::set_permissions(socket.path(), std::fs::Permissions::from_mode(0o000)).unwrap();
        return check_denied(socket.path()).await;
    }
    // The folder of the build may be closed to `nobody`.
    let program = free_socket().with_extension("test");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let mut command = Command::new(&program);
    command.args(["--exact", "unix_socket::socket_without_permission_is_an_outage_and_no_refusal"]);
    command.env(SOCKET, socket.path()).current_dir("/").uid(65534).gid(65534);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    std::fs::remove_file(program).unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

async fn check_denied(socket: &Path) {
    let url = format!("unix:{}", socket.display());
    let (_app, browser) = app_of(at(&url).upstream_retries(0)).await;
    assert_eq!(session(&browser).await, (502, "upstream_unreachable".to_owned()));
    let report = at(&url).build().unwrap().check().await;
    let advice = change(&report, "socket_denied");
    assert!(advice.contains("permission to write"), "{advice}");
}

#[tokio::test]
async fn span_has_the_path_of_the_socket_and_no_port() {
    let (_upstream, socket) = ada().await;
    let spans = SpanCapture::start();
    let (_app, browser) = app_of(at(&socket.url())).await;
    assert_eq!(session(&browser).await, (200, "Ada".to_owned()));
    let requests = spans.named("HTTP request");
    assert_eq!(requests[0].field("server.address"), socket.path().display().to_string());
    assert_eq!(requests[0].field("server.port"), "");
}

auth_proxy! {
    struct WithClient { upstream: { base_url: env("URL"), fetch: Router::new() } }
}

/// A client gets URLs, and none leads to a socket.
#[tokio::test]
async fn client_of_the_app_is_refused_for_a_socket() {
    let built = [
        WithClient::builder().vars([("URL", "unix:/run/auth.sock")]).build().err(),
        at("unix:/run/auth.sock").upstream_fetch(Router::new()).build().err(),
    ];
    for error in built {
        let error = error.unwrap();
        assert_eq!(error.problems()[0].option(), "upstream.fetch");
        assert!(error.to_string().contains("remove `upstream.fetch`, or write an http(s) URL"), "{error}");
    }
    assert!(WithClient::builder().vars([("URL", "http://auth.internal")]).build().is_ok());
}

/// The rules of the macro hold for variables too, and the message has no part of the value.
#[tokio::test]
async fn variable_with_a_wrong_socket_is_refused_at_start() {
    for (value, says) in [
        ("unix:run/secret.sock", "`unix:/run/auth.sock`"),
        ("unix:/run/secret\0.sock", "no control characters"),
        ("/run/secret.sock", "`unix:` before the path"),
        ("http://unix:/run/secret.sock", "without `http:`"),
    ] {
        let error = Auth::builder().vars([("AUTH_UPSTREAM_URL", value)]).build().unwrap_err().to_string();
        assert!(error.contains(says) && !error.contains("secret"), "{value}: {error}");
    }
    assert!(Auth::builder().vars([("AUTH_UPSTREAM_URL", "unix:/run/auth.sock")]).build().is_ok());
}

#[tokio::test]
async fn app_behind_the_proxy_may_listen_on_a_socket() {
    let (upstream, behind) =
        (upstream().await, async |headers: HeaderMap| headers[HOST].to_str().unwrap().to_owned());
    let behind = App::start(Router::new().route("/host", axum::routing::get(behind))).await;
    let socket = UnixSocket::before(&behind.url(""));
    let auth = Auth::builder().upstream_base_url(upstream.url()).build().unwrap();
    for (preserves, host) in [(true, None), (false, Some("localhost"))] {
        let service = auth.reverse_proxy(socket.url()).preserve_host(preserves).build().unwrap();
        let app = App::start(routes(&auth).fallback_service(service)).await;
        let host = host.map_or_else(|| app.addr.to_string(), str::to_owned);
        assert_eq!(Browser::of(&app).get("/host").await.body, host);
    }
    let error = auth.reverse_proxy(format!("{}:/prefix", socket.url())).build().err().unwrap();
    assert!(error.to_string().contains("write the socket only"), "{error}");
    let _: FakeUpstream = upstream;
}
