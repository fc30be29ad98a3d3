//! Two requests that change one session at the same time.

use std::time::Duration;

use auth_proxy_tests::App;
use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse;
use tokio::io::AsyncWriteExt as _;
use tokio::time::sleep;

use crate::support::{Auth, app_of, routes};

use super::{PLAIN, oneshot, session_cookies};

/// A sign-in counts, whatever another tab asks meanwhile with the token that is over: a page that asks `GET session` during
/// the sign-in has its dead cookie cleared, which was taken for a change that overtook the sign-in. Its cookie is dropped,
/// and a code or a link in a mail is spent for nothing. Who can toss a cookie of his own to a visitor keeps him out so.
#[tokio::test]
async fn a_dead_cookie_that_is_cleared_meanwhile_undoes_no_sign_in() {
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
    let dead = format!("{PLAIN}=AAAA..AAAA.dead.AAAA");
    let (signed_in, _) =
        tokio::join!(oneshot(&app, "GET", "/api/auth/callback/email?token=1", &dead), async {
            sleep(Duration::from_millis(100)).await;
            oneshot(&app, "GET", "/api/auth/session", &dead).await
        });
    assert_eq!(session_cookies(signed_in.headers()), [format!("{PLAIN}=AAAA..AAAA.new1.AAAA")]);
}

/// Of two changes at once the one that is answered first counts (`eviction.rs`). Of the other's answer the new token is
/// dropped, and what clears the chunks of the old one stays, and takes the chunks of the first with it: signed out.
#[tokio::test]
async fn a_change_that_was_overtaken_clears_no_chunk_of_the_other() {
    let answer = |request: Request| async move {
        let slow = request.uri().query() == Some("slow");
        sleep(Duration::from_millis(if slow { 300 } else { 100 })).await;
        // As Auth.js does: it clears the chunks that were sent, unless the new token has as many
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

/// What was refused here, and never sent, changed nothing: it must not have the answer to a sign-in that is under way lose
/// its cookie.
#[tokio::test]
async fn a_request_that_was_not_sent_undoes_no_sign_in() {
    let answer = || async {
        sleep(Duration::from_millis(300)).await;
        ([("set-cookie", format!("{PLAIN}=AAAA..AAAA.new1.AAAA"))], "{}")
    };
    let auth =
        Auth::builder().upstream_base_url("http://auth").upstream_fetch(Router::new().fallback(answer));
    let app = routes(&auth.upstream_concurrency(1).upstream_queue(0).build().unwrap());
    let dead = format!("{PLAIN}=AAAA..AAAA.dead.AAAA");
    let (signed_in, refused) =
        tokio::join!(oneshot(&app, "GET", "/api/auth/callback/email?token=1", &dead), async {
            sleep(Duration::from_millis(100)).await;
            oneshot(&app, "POST", "/api/auth/signin/email", &dead).await
        });
    assert_eq!(refused.status(), 503, "as many are under way as may be");
    assert_eq!(session_cookies(signed_in.headers()).len(), 1);
}

/// Who clicks twice signs in: the browser breaks off the first form when it sends the second. That the first was broken
/// off counts as a change, and the second loses its cookie.
#[tokio::test]
async fn a_form_that_is_sent_twice_signs_in() {
    let answer = || async {
        sleep(Duration::from_millis(400)).await;
        ([("set-cookie", format!("{PLAIN}=AAAA..AAAA.new1.AAAA"))], "{}")
    };
    let upstream = App::start(Router::new().fallback(answer)).await;
    let (app, browser) = app_of(Auth::builder().upstream_base_url(upstream.url(""))).await;
    let dead = format!("{PLAIN}=AAAA..AAAA.dead.AAAA");
    let mut first = tokio::net::TcpStream::connect(app.addr).await.unwrap();
    let form = format!(
        "POST /api/auth/callback/credentials HTTP/1.1\r\nHost: localhost\r\nCookie: {dead}\r\nContent-Length: 0\r\n\r\n"
    );
    first.write_all(form.as_bytes()).await.unwrap();
    sleep(Duration::from_millis(100)).await;
    let headers = [("cookie", dead.as_str())];
    let (second, ()) =
        tokio::join!(browser.post_with("/api/auth/callback/credentials", &[], &headers), async {
            sleep(Duration::from_millis(50)).await;
            drop(first);
        });
    assert_eq!(second.status, 200);
    assert_eq!(session_cookies(&second.headers).len(), 1);
}
