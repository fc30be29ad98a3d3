//! Races: two requests that change the same session at the same time.

use std::time::Duration;

use auth_proxy_tests::App;
use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse;
use tokio::io::AsyncWriteExt as _;
use tokio::time::sleep;

use crate::support::{Auth, app_of, routes};

use super::{PLAIN, oneshot, session_cookies};

/// During a sign-in another tab sends `GET session` with an ended token, and the response clears its cookie. If that
/// counted as a newer change, the cookie of the sign-in would be dropped and its one-time code wasted. Another host
/// that can set cookies could then keep a visitor from signing in.
#[tokio::test]
async fn cleared_cookie_of_an_ended_session_does_not_undo_a_sign_in() {
    let answer = |request: Request| async move {
        if request.uri().path().ends_with("/session") {
            return ([("set-cookie", format!("{PLAIN}=; Max-Age=0"))], "null");
        }
        sleep(Duration::from_millis(300)).await;
        ([("set-cookie", format!("{PLAIN}=AAAA..AAAA.new1.AAAA"))], "{}")
    };
    let auth =
        Auth::builder().upstream_base_url("http://auth").upstream_fetch(Router::new().fallback(answer));
    let app = routes(&auth.build().unwrap());
    let ended = format!("{PLAIN}=AAAA..AAAA.old1.AAAA");
    let (signed_in, _) =
        tokio::join!(oneshot(&app, "GET", "/api/auth/callback/email?token=1", &ended), async {
            sleep(Duration::from_millis(100)).await;
            oneshot(&app, "GET", "/api/auth/session", &ended).await
        });
    assert_eq!(session_cookies(signed_in.headers()), [format!("{PLAIN}=AAAA..AAAA.new1.AAAA")]);
}

/// Of two concurrent changes the first response wins (`eviction.rs`), and the second response loses its new token. Its
/// `Set-Cookie` headers that clear old chunks must be dropped too: they would clear the chunks of the first response.
#[tokio::test]
async fn second_of_two_changes_does_not_clear_the_chunks_of_the_first() {
    let answer = |request: Request| async move {
        let slow = request.uri().query() == Some("slow");
        sleep(Duration::from_millis(if slow { 300 } else { 100 })).await;
        // Auth.js clears every chunk of the request that the new token does not overwrite
        // (`core/lib/utils/cookie.ts:180-204`).
        let cookies: &[&str] = if slow {
            &[".0=; Max-Age=0", ".1=; Max-Age=0", "=AAAA..AAAA.new2.AAAA"]
        } else {
            &[".0=AAAA..AAAA.", ".1=new1.AAAA"]
        };
        let mut response = "{}".into_response();
        for cookie in cookies {
            response.headers_mut().append("set-cookie", format!("{PLAIN}{cookie}").parse().unwrap());
        }
        response
    };
    let auth =
        Auth::builder().upstream_base_url("http://auth").upstream_fetch(Router::new().fallback(answer));
    let app = routes(&auth.build().unwrap());
    let old = format!("{PLAIN}.0=AAAA..AAAA.; {PLAIN}.1=old0.AAAA");
    let (first, second) = tokio::join!(
        oneshot(&app, "POST", "/api/auth/session", &old),
        oneshot(&app, "POST", "/api/auth/session?slow", &old)
    );
    assert_eq!(session_cookies(first.headers()).len(), 2);
    let left: Vec<_> = second.headers().get_all("set-cookie").iter().collect();
    assert!(left.is_empty(), "{left:?}");
}

/// A request that the full queue rejects never reaches the upstream and changes nothing. So it must not remove the
/// cookie of a sign-in in progress.
#[tokio::test]
async fn request_rejected_by_a_full_queue_does_not_undo_a_sign_in() {
    let answer = || async {
        sleep(Duration::from_millis(300)).await;
        ([("set-cookie", format!("{PLAIN}=AAAA..AAAA.new1.AAAA"))], "{}")
    };
    let auth =
        Auth::builder().upstream_base_url("http://auth").upstream_fetch(Router::new().fallback(answer));
    let app = routes(&auth.upstream_concurrency(1).upstream_queue(0).build().unwrap());
    let ended = format!("{PLAIN}=AAAA..AAAA.old1.AAAA");
    let (signed_in, refused) =
        tokio::join!(oneshot(&app, "GET", "/api/auth/callback/email?token=1", &ended), async {
            sleep(Duration::from_millis(100)).await;
            oneshot(&app, "POST", "/api/auth/signin/email", &ended).await
        });
    assert_eq!(refused.status(), 503, "the only permit is taken, and the queue is full");
    assert_eq!(session_cookies(signed_in.headers()).len(), 1);
}

/// After a double click the browser aborts the first form and sends the second. The aborted form must not count as a
/// change that removes the cookie of the second.
#[tokio::test]
async fn sign_in_form_submitted_twice_signs_in() {
    let answer = || async {
        sleep(Duration::from_millis(400)).await;
        ([("set-cookie", format!("{PLAIN}=AAAA..AAAA.new1.AAAA"))], "{}")
    };
    let upstream = App::start(Router::new().fallback(answer)).await;
    let (app, browser) = app_of(Auth::builder().upstream_base_url(upstream.url(""))).await;
    let ended = format!("{PLAIN}=AAAA..AAAA.old1.AAAA");
    let mut first = tokio::net::TcpStream::connect(app.addr).await.unwrap();
    let form = format!(
        "POST /api/auth/callback/credentials HTTP/1.1\r\nHost: localhost\r\nCookie: {ended}\r\nContent-Length: 0\r\n\r\n"
    );
    first.write_all(form.as_bytes()).await.unwrap();
    sleep(Duration::from_millis(100)).await;
    let headers = [("cookie", ended.as_str())];
    let (second, ()) =
        tokio::join!(browser.post_with("/api/auth/callback/credentials", &[], &headers), async {
            sleep(Duration::from_millis(50)).await;
            drop(first);
        });
    assert_eq!(second.status, 200);
    assert_eq!(session_cookies(&second.headers).len(), 1);
}
