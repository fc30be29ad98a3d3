//! Real Auth.js on a Unix socket.

use std::path::Path;

use auth_proxy::Session;
use auth_proxy_tests::process::{Process, node};
use auth_proxy_tests::unix_socket::free_socket;
use auth_proxy_tests::{App, Browser};
use axum::Router;
use axum::routing::get;

use super::server::SECRET;

auth_proxy::auth_proxy! {
    struct Auth { upstream: { kind: authjs, base_url: env("URL") } }
}

async fn me(session: Session<Auth>) -> String {
    session.user.email.clone().unwrap_or_default()
}

fn authjs(socket: &Path) -> Process {
    let process = Process::start(node("server.mjs").env("AUTH_SECRET", SECRET).env("SOCKET", socket));
    assert_eq!(process.first_line, format!(r#"{{"socket":"{}"}}"#, socket.display()));
    process
}

/// A restarted server makes its socket again.
#[tokio::test]
async fn visitors_of_authjs_on_a_socket_sign_in_stay_over_a_restart_and_sign_out() {
    auth_proxy_tests::watch::secret(SECRET);
    let socket = free_socket();
    let server = authjs(&socket);
    let url = format!("unix:{}", socket.display());
    let auth = Auth::builder().upstream_base_url(url).upstream_retries(0).build().unwrap();
    let app = App::start(auth.attach(Router::new().route("/me", get(me))).with_state(auth.clone())).await;
    let browser = Browser::of(&app);
    assert_eq!(browser.get("/me").await.code(), "session_absent");
    let providers = browser.get("/api/auth/providers").await.json();
    // `Host` is preserved, so the links of the server point at this app.
    assert_eq!(providers["credentials"]["callbackUrl"], app.url("/api/auth/callback/credentials"));
    assert_eq!(browser.sign_in("demo", "demo").await.header("location"), app.url("/"));
    assert_eq!(browser.get("/me").await.body, "demo@example.com");
    drop(server);
    // The process was killed, so the file of its socket is still there.
    let outage = browser.get("/me").await;
    assert_eq!((outage.status, outage.code().as_str()), (502, "upstream_unreachable"));
    std::fs::remove_file(&socket).unwrap();
    assert_eq!(browser.get("/me").await.code(), "upstream_unreachable");
    let _server = authjs(&socket);
    assert_eq!(browser.get("/me").await.body, "demo@example.com");
    browser.sign_out().await;
    assert_eq!(browser.get("/me").await.code(), "session_absent");
    std::fs::remove_file(&socket).unwrap();
}
