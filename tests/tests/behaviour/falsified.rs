//! Where a promise of the README or of SECURITY.md did not hold when a reader tried to falsify it. Each test names the
//! promise.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use auth_proxy::testing::{FakeUpstream, mint};
use auth_proxy::{Cacheable, CachedSession, Kind, Session, SessionKey, SessionStore, StoreFuture, Strategy};
use auth_proxy_tests::{App, Browser};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tower::ServiceExt as _;

use crate::cache::{HOUR, Upstream};
use crate::support::{Auth, app, app_of, routes, upstream, users};

const PLAIN: &str = "authjs.session-token";
const SECURE: &str = "__Secure-authjs.session-token";
const SECRET: &str = "a secret that is long enough for this";

/// The session cookies that an answer sets, and not those that it clears.
fn session_cookies(headers: &HeaderMap) -> Vec<String> {
    let all = headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap().to_owned());
    all.filter(|cookie| {
        let Some((name, value)) = cookie.split_once('=') else { return false };
        name.contains("session-token") && !value.is_empty() && !value.starts_with(';')
    })
    .collect()
}

async fn oneshot(app: &Router, method: &str, path: &str, cookie: &str) -> Response {
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    app.clone().oneshot(request.header("cookie", cookie).body(Body::empty()).unwrap()).await.unwrap()
}

fn cookie_of<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let line = headers.get("cookie")?.to_str().ok()?;
    line.split("; ").find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

/// README, "Answers on their way": a request that the browser sent before the sign-out and that arrives after it gives it
/// no session cookie. That holds for a lookup; the page's own `GET session`, the commonest of them, signs it in again.
#[tokio::test]
async fn a_forwarded_session_request_that_arrives_late_meets_the_end() {
    let upstream = upstream().await;
    let (_app, browser) = app(&upstream).await;
    let signed_in = browser.sign_in("demo", "demo").await;
    let cookie = session_cookies(&signed_in.headers).remove(0);
    let old = cookie.split(';').next().unwrap();
    assert_eq!(browser.get("/session").await.status, 200);
    browser.sign_out().await;
    assert_eq!(browser.get("/session").await.status, 401);
    for path in ["/session", "/api/auth/session"] {
        let late = browser.get_with(path, &[("cookie", old)]).await;
        assert_eq!(session_cookies(&late.headers), Vec::<String>::new(), "{path}");
    }
}

/// README, "Four outcomes": one request has one credential, and session, token and policy are all of it. The names that
/// count are read anew for each of them, while another visitor's answer may change them.
#[tokio::test]
async fn one_credential_also_when_the_names_are_learnt_meanwhile() {
    let [admin, user, other] = [
        mint(&json!({ "sub": "2", "name": "Ada", "role": "admin" }), SECRET, SECURE),
        mint(&json!({ "sub": "1", "name": "Demo", "role": "user" }), SECRET, PLAIN),
        mint(&json!({ "sub": "3", "name": "Carl" }), SECRET, SECURE),
    ];
    // Two replicas of an upstream that is being moved to https.
    let session = move |headers: HeaderMap| async move {
        if cookie_of(&headers, SECURE).is_some() {
            return ([("set-cookie", format!("{SECURE}=x"))], r#"{"user":{"name":"Carl"}}"#);
        }
        sleep(Duration::from_millis(300)).await;
        ([("set-cookie", format!("{PLAIN}=x"))], r#"{"user":{"name":"Demo","role":"user"}}"#)
    };
    let upstream = Router::new().route("/api/auth/session", get(session));
    let auth = Auth::builder().base_url("http://auth").secrets([SECRET]).fetch(upstream).build().unwrap();
    let app = routes(&auth);
    // The upstream is seen to use the plain name, which comes first then.
    assert_eq!(oneshot(&app, "GET", "/session", &format!("{PLAIN}={user}")).await.status(), 200);
    // A revoked token of an admin under the other name is of no use..
    let both = format!("{PLAIN}={user}; {SECURE}={admin}");
    assert_eq!(oneshot(&app, "GET", "/admin", &both).await.status(), 403);
    // .. until the other name is learnt between the session and the token.
    let (refused, _) = tokio::join!(oneshot(&app, "GET", "/admin", &both), async {
        sleep(Duration::from_millis(100)).await;
        oneshot(&app, "GET", "/session", &format!("{SECURE}={other}")).await
    });
    assert_eq!(refused.status(), 403, "Demo's session passed with Ada's token");
}

/// SECURITY.md: nobody outside can open the circuit breaker. Where the upstream is reached by name, and the name comes
/// from a trusted proxy (README, "Front door"), the proxy's own request has a `Host` that nothing answers: it confirms
/// every failure, and no probe ever closes the circuit again.
#[tokio::test]
async fn the_own_request_has_a_host_that_the_upstream_answers() {
    let by_name = |headers: HeaderMap, request: Request| async move {
        match (headers["host"].to_str().unwrap(), request.uri().path()) {
            ("app.test", "/api/auth/session") => {
                ([("set-cookie", format!("{PLAIN}=x"))], r#"{"user":{"name":"Ada"}}"#).into_response()
            }
            ("app.test", _) => "{}".into_response(),
            // As HAProxy answers for a name that it does not know.
            _ => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        }
    };
    let upstream = App::start(Router::new().fallback(by_name)).await;
    let builder = Auth::builder().base_url(upstream.url("")).trusted_proxies(["127.0.0.1"]).retries(0);
    let (_app, browser) = app_of(builder).await;
    let asks = async |host: &str, n: usize| {
        let cookie = format!("{PLAIN}=aaaa..bbbb.cccc.{n:04}");
        let headers = [("cookie", cookie.as_str()), ("x-forwarded-host", host)];
        browser.get_with("/session", &headers).await.status
    };
    assert_eq!(asks("app.test", 0).await, 200);
    // The front proxy passes on what a client writes into `Host`.
    for n in 1..=5 {
        assert_eq!(asks("zzz.test", n).await, 503);
    }
    let mut after = vec![asks("app.test", 0).await];
    sleep(Duration::from_secs(2)).await;
    after.push(asks("app.test", 0).await);
    assert_eq!(after, [200, 200], "one client, five requests: everybody else, at once and two seconds later");
}

/// One request of the proxy's own that fails is one failure, however many wait for what it finds out: else a client that
/// keeps several failing requests under way turns any hiccup into an open circuit.
#[tokio::test]
async fn one_own_request_that_fails_counts_once() {
    let hiccups = Arc::new(AtomicUsize::new(1));
    let answer = move |headers: HeaderMap, request: Request| async move {
        let busy = StatusCode::SERVICE_UNAVAILABLE.into_response();
        if request.uri().path().ends_with("/providers") {
            sleep(Duration::from_millis(300)).await;
            let fails = hiccups.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok();
            return if fails { busy } else { "{}".into_response() };
        }
        match cookie_of(&headers, PLAIN) {
            Some(token) if token.ends_with("good") => {
                ([("set-cookie", format!("{PLAIN}=x"))], r#"{"user":{"name":"Ada"}}"#).into_response()
            }
            _ => busy,
        }
    };
    let auth = Auth::builder().base_url("http://auth").retries(0).fetch(Router::new().fallback(answer));
    let app = routes(&auth.build().unwrap());
    let bad: Vec<_> = (0..5)
        .map(|n| {
            let app = app.clone();
            let cookie = format!("{PLAIN}=aaaa..bbbb.cccc.{n:04}");
            tokio::spawn(async move { oneshot(&app, "GET", "/session", &cookie).await.status() })
        })
        .collect();
    for bad in bad {
        assert_eq!(bad.await.unwrap(), 503);
    }
    let good = oneshot(&app, "GET", "/session", &format!("{PLAIN}=aaaa..bbbb.cccc.good")).await;
    assert_eq!(good.status(), 200, "one own request failed once");
}

/// A store that forgets nothing, as when it cannot be reached for the moment of the sign-out. It keeps what serde makes of
/// a session, as one outside of this process does.
#[derive(Default)]
struct Stubborn(std::sync::Mutex<std::collections::HashMap<SessionKey, String>>);

impl SessionStore for Stubborn {
    fn get<'a>(&'a self, key: &'a SessionKey) -> StoreFuture<'a, Option<CachedSession>> {
        Box::pin(async move { serde_json::from_str(self.0.lock().unwrap().get(key)?).ok() })
    }
    fn put(&self, key: SessionKey, session: CachedSession, _: Duration) -> StoreFuture<'_, ()> {
        let text = serde_json::to_string(&session).unwrap();
        Box::pin(async move { drop(self.0.lock().unwrap().insert(key, text)) })
    }
    fn remove<'a>(&'a self, _: &'a SessionKey) -> StoreFuture<'a, ()> {
        Box::pin(std::future::pending())
    }
}

/// README, "What is remembered": a sign-out through this proxy is known at once on this instance. `SessionStore` says that
/// a removal that the store does not take in time is not known to the *other* instances.
#[tokio::test]
async fn a_sign_out_that_the_store_did_not_take_is_known_here() {
    let upstream = Upstream::default();
    let auth = upstream.auth().session_cache(HOUR).session_store(Stubborn::default());
    let app = routes(&auth.timeout(Duration::from_millis(400)).build().unwrap());
    let ada = format!("{PLAIN}=ada");
    for _ in 0..2 {
        oneshot(&app, "GET", "/session", &ada).await;
    }
    assert_eq!(upstream.lookups(), 1, "remembered");
    oneshot(&app, "POST", "/api/auth/signout", &ada).await;
    oneshot(&app, "GET", "/session", &ada).await;
    assert_eq!(upstream.lookups(), 2, "asked again after the sign-out");
}

/// README, "What ends a session here": it ends before the request goes up and again when it is answered, also when the
/// upstream fails meanwhile. A browser that leaves, as pages do at a sign-out, has it end before the upstream is done:
/// what another tab looks up in between stays remembered.
#[tokio::test]
async fn a_sign_out_whose_browser_left_is_known_when_it_is_done() {
    let gone = Arc::new(AtomicBool::new(false));
    let answer = move |request: Request| async move {
        if request.uri().path().ends_with("/signout") {
            let gone = Arc::clone(&gone);
            // A server goes on when its client leaves.
            let done = tokio::spawn(async move {
                sleep(Duration::from_millis(500)).await;
                gone.store(true, SeqCst);
            });
            done.await.unwrap();
        }
        if gone.load(SeqCst) {
            return ([("set-cookie", format!("{PLAIN}=; Max-Age=0"))], "null");
        }
        ([("set-cookie", format!("{PLAIN}=ada"))], r#"{"user":{"name":"Ada"}}"#)
    };
    let upstream = App::start(Router::new().fallback(answer)).await;
    let builder = Auth::builder().base_url(upstream.url("")).session_strategy(Strategy::Database);
    let (app, browser) = app_of(builder.session_cache(HOUR)).await;
    let ada = format!("{PLAIN}=ada");
    let status = async || browser.get_with("/session", &[("cookie", &ada)]).await.status;
    let mut leaves = tokio::net::TcpStream::connect(app.addr).await.unwrap();
    let form = format!(
        "POST /api/auth/signout HTTP/1.1\r\nHost: localhost\r\nCookie: {ada}\r\nContent-Length: 0\r\n\r\n"
    );
    leaves.write_all(form.as_bytes()).await.unwrap();
    sleep(Duration::from_millis(100)).await;
    drop(leaves);
    sleep(Duration::from_millis(100)).await;
    assert_eq!(status().await, 200, "not signed out yet");
    sleep(Duration::from_millis(600)).await;
    assert_eq!(status().await, 401, "signed out through this instance half a second ago");
}

/// README, "Answers on their way": for 2 minutes more no lookup gives the browser a cookie for a token of that session.
/// Every renewal of anybody's takes the place of such a mark: at 140 lookups a second the 2 minutes are over before.
#[tokio::test]
async fn renewals_of_others_do_not_shorten_what_is_known_of_an_end() {
    let upstream = Upstream::default();
    let app = routes(&upstream.auth().build().unwrap());
    let late = async || {
        let answer = oneshot(&app, "GET", "/session", &format!("{PLAIN}=victim")).await;
        session_cookies(answer.headers())
    };
    oneshot(&app, "POST", "/api/auth/signout", &format!("{PLAIN}=victim")).await;
    assert_eq!(late().await, Vec::<String>::new());
    for n in 0..16_400 {
        oneshot(&app, "GET", "/session", &format!("{PLAIN}=other{n}")).await;
    }
    assert_eq!(late().await, Vec::<String>::new());
}

/// README, "What ends a session here": it ends under every token that it was renewed through. The renewal of a forwarded
/// `GET session` is noted with the first token of the request, and not with the one that was renewed: with a stray cookie
/// of the other name, the old token outlives the sign-out.
#[tokio::test]
async fn a_renewed_token_belongs_to_the_one_that_it_was_renewed_of() {
    for stray in ["", "__Secure-authjs.session-token=AAAA..AAAA.strayAAA.AAAA; "] {
        let gate = Arc::new(Semaphore::new(0));
        let waits = Arc::clone(&gate);
        let session = move |headers: HeaderMap| async move {
            let token = cookie_of(&headers, PLAIN).unwrap_or_default().to_owned();
            // A lookup, by a slow page of another tab: it has nothing but the token.
            if token.contains("first") && !headers.contains_key("x-from-page") {
                waits.acquire().await.unwrap().forget();
            }
            let next = token.replace("first", "next1");
            ([("set-cookie", format!("{PLAIN}={next}"))], r#"{"user":{"name":"Ada"}}"#).into_response()
        };
        let router = Router::new()
            .route("/api/auth/session", get(session))
            .fallback(|| async { ([("set-cookie", format!("{PLAIN}=; Max-Age=0"))], "{}").into_response() });
        let auth = Auth::builder().base_url("http://auth").fetch(router).build().unwrap();
        let app = routes(&auth);
        // The upstream is seen to use the plain name.
        oneshot(&app, "GET", "/session", &format!("{PLAIN}=AAAA..AAAA.otherAAA.AAAA")).await;
        let cookies = |token: &str| format!("{stray}{PLAIN}=AAAA..AAAA.{token}AAA.AAAA");
        let slow = {
            let (app, cookies) = (app.clone(), cookies("first"));
            tokio::spawn(async move { oneshot(&app, "GET", "/session", &cookies).await })
        };
        sleep(Duration::from_millis(100)).await;
        let page = Request::get("/api/auth/session").header("host", "localhost").header("x-from-page", "1");
        let page = page.header("cookie", cookies("first")).body(Body::empty()).unwrap();
        let renewed = app.clone().oneshot(page).await.unwrap();
        assert!(session_cookies(renewed.headers())[0].contains("next1"));
        oneshot(&app, "POST", "/api/auth/signout", &cookies("next1")).await;
        gate.add_permits(1);
        let slow = slow.await.unwrap();
        assert_eq!(slow.status(), 200);
        assert_eq!(session_cookies(slow.headers()), Vec::<String>::new(), "signed in again, {stray:?}");
    }
}

/// README, "Answers of one visitor": an answer to a request that was asked for a session or a token is private.
/// `Auth::session(&headers)` and `Auth::token(&headers)` in a handler behind `attach` are such, and nothing marks it.
#[tokio::test]
async fn an_answer_made_by_hand_of_a_session_is_private() {
    let upstream = Upstream::default();
    let auth = upstream.auth().build().unwrap();
    let by_hand = |State(auth): State<Auth>, headers: HeaderMap| async move {
        auth.session(&headers).await.unwrap().unwrap().user.name.clone().unwrap()
    };
    let app = auth.attach(Router::new().route("/by-hand", get(by_hand))).with_state(auth.clone());
    let answer = oneshot(&app, "GET", "/by-hand", &format!("{PLAIN}=ada")).await;
    assert_eq!(answer.status(), 200);
    assert!(answer.headers().contains_key("cache-control"), "{:?}", answer.headers());
}

/// README, the same: an answer with a session cookie is private all the same, `Cacheable` or not.
#[tokio::test]
async fn an_answer_with_a_session_cookie_of_its_own_is_private() {
    let upstream = Upstream::default();
    let auth = upstream.auth().build().unwrap();
    let set = || async {
        (
            Cacheable,
            [("set-cookie", format!("{PLAIN}=x")), ("cache-control", "public, max-age=60".to_owned())],
            "x",
        )
    };
    let app = auth.attach(Router::new().route("/set", get(set))).with_state(auth.clone());
    let answer = oneshot(&app, "GET", "/set", "").await;
    assert_eq!(answer.headers()["cache-control"], "private, max-age=60");
}

/// The sign-in page has the CSRF token of one visitor in its forms, and Auth.js says nothing of caches there. Once the
/// visitor has the CSRF cookie the page sets none: a shared cache gives it to all, whose forms then fail.
#[tokio::test]
async fn a_sign_in_page_is_of_one_visitor() {
    let upstream = upstream().await;
    let (_app, browser) = app(&upstream).await;
    let token = browser.csrf().await;
    let page = browser.get("/api/auth/signin").await;
    assert!(page.body.contains(&token) && page.cookies().is_empty(), "{page:?}");
    assert!(page.header("cache-control").contains("private"), "{:?}", page.headers);
}

/// README, `session.expose_session_token`: page scripts do not get the `sessionToken`. What cannot be read as JSON of just
/// that content type passes as it is.
#[tokio::test]
async fn no_form_of_an_answer_tells_scripts_the_session_token() {
    const BODY: &str = r#"{"user":{"name":"Ada"},"sessionToken":"t0ken"}"#;
    let answer = |request: Request| async move {
        let kind = request.uri().query().unwrap_or("application/json").to_owned();
        let path = request.uri().path();
        // As routers do that compare paths decoded: Next.js gives next-auth v4 its segments so.
        if path != "/api/auth/session" && path != "/api/auth/%73ession" {
            return StatusCode::NOT_FOUND.into_response();
        }
        let headers = [("content-type", kind), ("set-cookie", format!("{PLAIN}=t0ken"))];
        if request.headers().contains_key("range") {
            return (StatusCode::PARTIAL_CONTENT, headers, &BODY[22..]).into_response();
        }
        (headers, BODY).into_response()
    };
    let upstream = App::start(Router::new().fallback(answer)).await;
    let builder = Auth::builder().base_url(upstream.url("")).session_strategy(Strategy::Database);
    let (_app, browser) = app_of(builder).await;
    let mut told = Vec::new();
    for (path, range) in [
        ("/api/auth/session", false),
        ("/api/auth/session/?application/json", false),
        ("/api/auth/session?text/plain", false),
        ("/api/auth/session?application/vnd.api+json", false),
        ("/api/auth/session", true),
        ("/api/auth/%73ession", false),
    ] {
        let cookie = format!("{PLAIN}=t0ken");
        let mut headers = vec![("cookie", cookie.as_str())];
        headers.extend(range.then_some(("range", "bytes=22-")));
        let answer = browser.get_with(path, &headers).await;
        if answer.body.contains("t0ken") {
            told.push((path, range));
        }
    }
    assert_eq!(told, []);
}

/// SECURITY.md: a cookie under the name that the upstream does not use signs nobody in, nor should it keep anybody out.
/// One that another host of the site tossed makes every page 502 for a visitor who is signed out, even though this
/// upstream was seen to use the other name.
#[tokio::test]
async fn a_tossed_cookie_of_the_other_name_is_no_outage() {
    let upstream = upstream().await;
    let (_app, browser) = app(&upstream).await;
    browser.sign_in("demo", "demo").await;
    assert_eq!(browser.get("/session").await.status, 200);
    let tossed = format!("{SECURE}=AAAA..AAAA.AAAA.AAAA");
    for path in ["/session/optional", "/api/auth/session"] {
        let answer = browser.get_with(path, &[("cookie", &tossed)]).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "null"), "{path}");
    }
}

/// README, "Four outcomes": an invalid Bearer token is 401 also for an `Option`.
#[tokio::test]
async fn a_bearer_token_of_nobody_is_refused_where_one_may_be_absent() {
    let nobody = || async { ([("set-cookie", "next-auth.session-token=x")], r#"{"user":{"name":null}}"#) };
    let router = Router::new().route("/api/auth/session", get(nobody));
    let auth = Auth::builder().base_url("http://auth").kind(Kind::NextAuthV4).fetch(router).build().unwrap();
    let request = Request::get("/session/optional").header("authorization", "Bearer AAAA..AAAA.AAAA.AAAA");
    let answer = routes(&auth).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 401);
}

/// What counts for a cookie counts for a Bearer token: once the upstream was seen to use the name with the prefix, a
/// token under the key of the other is good for nothing.
#[tokio::test]
async fn a_bearer_token_of_the_name_that_does_not_count_is_refused() {
    let upstream = users(FakeUpstream::builder().cookie_name(SECURE)).start().await.unwrap();
    let (app, browser) = app_of(Auth::builder().base_url(upstream.url()).secrets([upstream.secret()])).await;
    let own = mint(&json!({ "sub": "1", "name": "Ada" }), upstream.secret(), SECURE);
    assert_eq!(browser.get_with("/session", &[("cookie", &format!("{SECURE}={own}"))]).await.status, 200);
    let other = mint(&json!({ "sub": "2", "name": "Mallory" }), upstream.secret(), PLAIN);
    let cookie = browser.get_with("/protected", &[("cookie", &format!("{PLAIN}={other}"))]).await;
    assert_eq!(cookie.status, 401);
    // Of another browser, without the cookie that the lookup renewed.
    let bearer = format!("Bearer {other}");
    let answer = Browser::of(&app).get_with("/protected", &[("authorization", &bearer)]).await;
    assert_eq!(answer.code(), "token_unknown_key");
}

/// README, "What ends a session here": it ends again when it is answered, also when the upstream fails meanwhile. One that
/// is late does what it was asked for after the proxy gave it up.
#[tokio::test]
async fn a_sign_out_that_is_late_is_known_when_it_is_done() {
    let gone = Arc::new(AtomicBool::new(false));
    let answer = move |request: Request| async move {
        if request.uri().path().ends_with("/signout") {
            let gone = Arc::clone(&gone);
            let done = tokio::spawn(async move {
                sleep(Duration::from_millis(700)).await;
                gone.store(true, SeqCst);
            });
            done.await.unwrap();
        }
        if gone.load(SeqCst) {
            return ([("set-cookie", format!("{PLAIN}=; Max-Age=0"))], "null");
        }
        ([("set-cookie", format!("{PLAIN}=ada"))], r#"{"user":{"name":"Ada"}}"#)
    };
    let auth = Auth::builder().base_url("http://auth").session_strategy(Strategy::Database);
    let auth = auth.fetch(Router::new().fallback(answer)).timeout(Duration::from_millis(300));
    let app = routes(&auth.session_cache(HOUR).build().unwrap());
    let ada = format!("{PLAIN}=ada");
    assert_eq!(oneshot(&app, "POST", "/api/auth/signout", &ada).await.status(), 504);
    assert_eq!(oneshot(&app, "GET", "/session", &ada).await.status(), 200, "not signed out yet");
    sleep(Duration::from_millis(600)).await;
    assert_eq!(oneshot(&app, "GET", "/session", &ada).await.status(), 401, "signed out since");
}

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
    let auth = Auth::builder().base_url("http://auth").fetch(Router::new().fallback(answer));
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
    let auth = Auth::builder().base_url("http://auth").fetch(Router::new().fallback(answer));
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

/// README, "When the upstream is in trouble": everything is answered within `upstream.timeout`. A store that does not
/// answer is given up for each token of a session by itself, one after the other, before a sign-out and again after it.
#[tokio::test]
async fn a_sign_out_is_answered_in_time_whatever_the_store_does() {
    let upstream = Upstream::default();
    let auth = upstream.auth().session_cache(HOUR).session_store(Stubborn::default());
    let app = routes(&auth.timeout(Duration::from_millis(800)).build().unwrap());
    for n in 0..12 {
        // Renewed each time: in an hour of a visitor who comes every minute.
        upstream_renews(&app, n).await;
    }
    let began = std::time::Instant::now();
    oneshot(&app, "POST", "/api/auth/signout", &format!("{PLAIN}=ada")).await;
    assert!(began.elapsed() < Duration::from_millis(1600), "{:?}", began.elapsed());
}

/// A lookup with the token that the one before brought.
async fn upstream_renews(app: &Router, n: usize) {
    let token = format!("ada{}", "x".repeat(n));
    let answer = oneshot(app, "GET", "/api/auth/session", &format!("{PLAIN}={token}")).await;
    assert_eq!(session_cookies(answer.headers()), [format!("{PLAIN}={token}x")]);
}

/// SECURITY.md: nobody outside can open the circuit breaker. Over HTTP/2, as to every public upstream, all requests share
/// one connection, and a server takes some 100 at once on it (`SETTINGS_MAX_CONCURRENT_STREAMS`). As many slow forms of
/// one client keep every lookup waiting, and the proxy's own request too, which confirms that the upstream is down.
#[tokio::test]
async fn slow_forms_on_one_connection_do_not_open_the_circuit() {
    let answer = |request: Request| async move {
        let is_session = request.uri().path().ends_with("/session");
        axum::body::to_bytes(request.into_body(), 1 << 20).await.ok();
        let body = if is_session { r#"{"user":{"name":"Ada"}}"# } else { "{}" };
        ([("set-cookie", format!("{PLAIN}=x"))], body)
    };
    let router = Router::new().fallback(answer);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = hyper_util::service::TowerToHyperService::new(router.clone());
            tokio::spawn(async move {
                let io = hyper_util::rt::TokioIo::new(stream);
                hyper::server::conn::http2::Builder::new(hyper_util::rt::TokioExecutor::new())
                    .max_concurrent_streams(16)
                    .serve_connection(io, service)
                    .await
            });
        }
    });
    // What the proxy's own client is over https.
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
        .http2_only(true)
        .build_http::<Body>();
    let fetch = tower::service_fn(move |request| client.request(request));
    let builder = Auth::builder().base_url(url).fetch(fetch).timeout(Duration::from_secs(1));
    let (app, browser) = app_of(builder.circuit_breaker(3)).await;
    let code = async |n: usize| {
        let cookie = format!("{PLAIN}=aaaa..bbbb.cccc.{n:04}");
        let answer = browser.get_with("/session", &[("cookie", &cookie)]).await;
        if answer.status == 200 { "ok".to_owned() } else { answer.code() }
    };
    assert_eq!(code(0).await, "ok");
    let form = "POST /api/auth/signout HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n1";
    let addr = app.addr;
    let attack = tokio::spawn(async move {
        let mut slow = Vec::new();
        loop {
            for _ in 0..16 {
                let mut stream = tokio::net::TcpStream::connect(addr).await.unwrap();
                stream.write_all(form.as_bytes()).await.unwrap();
                slow.push(stream);
            }
            sleep(Duration::from_millis(40)).await;
        }
    });
    sleep(Duration::from_millis(500)).await;
    let mut codes = Vec::new();
    for wave in 0..4 {
        let n = 10 * wave;
        let (a, b, c, d) = tokio::join!(code(n + 1), code(n + 2), code(n + 3), code(n + 4));
        codes.extend([a, b, c, d]);
        // Some of the proxy's own requests are counted after the lookups that they were asked for.
        sleep(Duration::from_millis(300)).await;
        codes.push(code(n + 5).await);
    }
    attack.abort();
    assert!(!codes.contains(&"circuit_open".to_owned()), "{codes:?}");
}

/// README, "What ends a session here": also in the other spellings that a database may take for the same token. The
/// collations that MySQL and Prisma choose by themselves (`utf8mb4_0900_ai_ci`, `utf8mb4_unicode_ci`) tell no accents
/// apart: a thief who writes the token with one is known here after the sign-out.
#[tokio::test]
async fn a_spelling_with_accents_is_no_token() {
    let upstream = Upstream::default();
    let app = routes(&upstream.auth().session_cache(HOUR).build().unwrap());
    let (own, spelt) = (format!("{PLAIN}=ade"), format!("{PLAIN}=ad%C3%A9"));
    oneshot(&app, "GET", "/session", &own).await;
    assert_eq!(upstream.lookups(), 1);
    // No token of Auth.js has such a character: it is refused, unasked.
    assert_eq!(oneshot(&app, "GET", "/session", &spelt).await.status(), 401);
    oneshot(&app, "POST", "/api/auth/signout", &own).await;
    assert_eq!(oneshot(&app, "GET", "/session", &spelt).await.status(), 401);
    assert_eq!(upstream.lookups(), 1);
}

/// What was refused here, and never sent, changed nothing: it must not have the answer to a sign-in that is under way lose
/// its cookie.
#[tokio::test]
async fn a_request_that_was_not_sent_undoes_no_sign_in() {
    let answer = || async {
        sleep(Duration::from_millis(300)).await;
        ([("set-cookie", format!("{PLAIN}=AAAA..AAAA.new1.AAAA"))], "{}")
    };
    let auth = Auth::builder().base_url("http://auth").fetch(Router::new().fallback(answer));
    let app = routes(&auth.concurrency(1).queue(0).build().unwrap());
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
    let (app, browser) = app_of(Auth::builder().base_url(upstream.url(""))).await;
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

/// README, "Writes from other sites": a request with the session cookie that a page of another site brings about is 403.
/// The layer looks for the cookie under other names than the handler does, who goes by the scheme: where one visitor came
/// over https, the cookie of those who come over http is none to the layer.
#[tokio::test]
async fn the_layer_and_the_handler_look_for_the_same_cookie() {
    let answer = |headers: HeaderMap| async move {
        let name = if headers["x-forwarded-proto"] == "https" { SECURE } else { PLAIN };
        let body = if cookie_of(&headers, name).is_some() { r#"{"user":{"name":"Ada"}}"# } else { "null" };
        ([("set-cookie", format!("{name}=x"))], body)
    };
    for kind in [None, Some(Kind::Authjs)] {
        let builder = Auth::builder().base_url("http://auth").fetch(Router::new().fallback(answer));
        let builder = builder.trusted_proxies(["127.0.0.1"]);
        let builder = if let Some(kind) = kind { builder.kind(kind) } else { builder };
        let auth = builder.build().unwrap();
        let writes = routes(&auth).route(
            "/transfer",
            axum::routing::post(|session: Session<Auth>| async move { session.user.name.clone().unwrap() })
                .layer(auth.cross_origin_protection())
                .with_state(auth.clone()),
        );
        let app = App::start(writes).await;
        let browser = Browser::of(&app);
        let transfer = async || {
            let cookie = format!("{PLAIN}=aaaa..bbbb.cccc.dddd");
            let headers = [
                ("cookie", cookie.as_str()),
                ("x-forwarded-proto", "http"),
                ("sec-fetch-site", "cross-site"),
            ];
            browser.post_with("/transfer", &[], &headers).await.status
        };
        assert_eq!(transfer().await, 403);
        let secure = format!("{SECURE}=aaaa..bbbb.cccc.dddd");
        let headers = [("cookie", secure.as_str()), ("x-forwarded-proto", "https")];
        assert_eq!(browser.get_with("/session", &headers).await.status, 200);
        assert_eq!(transfer().await, 403, "{kind:?}");
    }
}

/// README, "Answers of one visitor": what only shared caches read is taken out, and a handler's own `no-store` stays.
#[tokio::test]
async fn no_word_to_a_shared_cache_stays() {
    let upstream = Upstream::default();
    let auth = upstream.auth().build().unwrap();
    let me = |_: Session<Auth>| async {
        let headers = [
            // Counts more than `Cache-Control` there (LiteSpeed's developer guide, "Response Headers").
            ("x-litespeed-cache-control", "public, max-age=60"),
            ("cache-control", "no-store, by=\"Zo\u{eb}\""),
        ];
        let mut response = "me".into_response();
        for (name, value) in headers {
            response.headers_mut().insert(name, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        response
    };
    let app = auth.attach(Router::new().route("/me", get(me))).with_state(auth.clone());
    let answer = oneshot(&app, "GET", "/me", &format!("{PLAIN}=ada")).await;
    let headers = answer.headers();
    let said = headers.contains_key("x-litespeed-cache-control");
    let stays = String::from_utf8_lossy(headers["cache-control"].as_bytes()).contains("no-store");
    assert_eq!((said, stays), (false, true), "{headers:?}");
}
