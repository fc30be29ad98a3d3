//! The cookies beside the session cookie of Better Auth, with an upstream that believes every cookie cache, as version
//! 1.6 does.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth_proxy::options::{Builder, UpstreamKind};
use auth_proxy_tests::{App, Browser};
use axum::extract::{Request, State};
use axum::response::{AppendHeaders, IntoResponse as _, Response};
use axum::{Json, Router};
use http::StatusCode;
use http::header::SET_COOKIE;
use serde_json::{Value, json};

use crate::support::{self, Auth};

const SIGNATURE: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3D";

type Sent = Arc<Mutex<Vec<String>>>;

struct Upstream {
    app: App,
    sent: Sent,
}

impl Upstream {
    async fn start() -> Self {
        let sent = Sent::default();
        Self { app: App::start(Router::new().fallback(answer).with_state(Arc::clone(&sent))).await, sent }
    }

    fn builder(&self) -> Builder<Auth> {
        Auth::builder().upstream_kind(UpstreamKind::BetterAuth).upstream_base_url(self.app.url(""))
    }

    fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap().clone()
    }
}

/// Answers with the session in the cookie cache, whose value is the name of its user, else with that of the token.
async fn answer(State(sent): State<Sent>, request: Request) -> Response {
    let line = request.headers().get("cookie").map_or("", |line| line.to_str().unwrap()).to_owned();
    sent.lock().unwrap().push(line.clone());
    tokio::time::sleep(Duration::from_millis(50)).await;
    let cookie = |wanted: &str| {
        let mut pairs = line.split("; ").filter_map(|pair| pair.split_once('='));
        pairs.find(|(name, _)| *name == wanted).map(|(_, value)| value.to_owned())
    };
    let whole = cookie("better-auth.session_data");
    let chunks: String = (0..64).filter_map(|n| cookie(&format!("better-auth.session_data.{n}"))).collect();
    let cache = whole.unwrap_or(chunks);
    // As versions 1.6 and 1.7 with the compact form do.
    if cache.contains(['!', '.']) {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let bearer = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    let bearer = bearer.and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned);
    let token = bearer.or_else(|| cookie("better-auth.session_token"));
    let of_token = token.as_ref().and_then(|token| token.split('.').next()).filter(|user| user.len() == 4);
    let user = if token.is_some() && cache.len() == 4 { Some(cache.as_str()) } else { of_token };
    let Some(user) = user else { return Json(Value::Null).into_response() };
    let cookies = [
        format!("better-auth.session_data={user}; Path=/; HttpOnly"),
        "better-auth.state=x; Path=/".to_owned(),
        format!("better-auth.session_token_multi-{user}=x; Path=/"),
    ];
    let body = json!({
        "session": { "id": "s", "userId": user, "token": user, "expiresAt": "2099-12-31T23:59:59.000Z" },
        "user": { "id": user, "email": "a@example.com", "name": user },
    });
    (AppendHeaders(cookies.map(|cookie| (SET_COOKIE, cookie))), Json(body)).into_response()
}

fn token(user: &str) -> String {
    format!("better-auth.session_token={user}.{SIGNATURE}")
}

async fn user(browser: &Browser, cookies: &str) -> (u16, Value) {
    let answer = browser.get_with("/session", &[("cookie", cookies)]).await;
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    (answer.status, body["user"]["id"].clone())
}

#[tokio::test]
async fn wrong_cookie_cache_never_refuses_a_visitor() {
    let upstream = Upstream::start().await;
    let (_app, browser) = support::app_of(upstream.builder()).await;
    let data = "better-auth.session_data";
    let long: String = (0..4).map(|n| format!("; {data}.{n}={}", "a".repeat(3976))).collect();
    let other = format!("; better-auth.dont_remember={}", "a".repeat(3976)).repeat(1);
    let other: String = (0..4).map(|n| other.replace("remember=", &format!("remember.{n}="))).collect();
    for cookies in [
        String::new(),
        format!("; {data}=abc!"),
        // A cache in another form, of before a change of `cookieCache.strategy`.
        format!("; {data}=AAAA.AAAA.AAAA"),
        format!("; {data}.0=adas; {data}.2=abc!"),
        format!("; {data}=; {data}=abc!; {data}.0=adas"),
        format!("; {data}=abc!; {data}.0=abcd.abcd.abcd"),
        long,
        other,
    ] {
        assert_eq!(
            user(&browser, &format!("{}{cookies}", token("adas"))).await,
            (200, json!("adas")),
            "{}",
            &cookies[..cookies.len().min(100)]
        );
    }
}

/// Without a database the cookie cache is the session, so a `null` without it says nothing.
#[tokio::test]
async fn failure_with_a_cookie_cache_is_no_sign_out() {
    let upstream = Upstream::start().await;
    let (_app, browser) = support::app_of(upstream.builder()).await;
    let cookies = format!("{}; better-auth.session_data=AAAA.AAAA.AAAA", token("unknown"));
    let answer = browser.get_with("/session", &[("cookie", &cookies)]).await;
    assert_eq!((answer.status, answer.cookies()), (502, Vec::new()));
    // A cache that is too long for a lookup is left out of it.
    let chunk = |n| format!("; better-auth.session_data.{n}={}", "a".repeat(3976));
    let cookies = format!("{}{}", token("unknown"), (0..4).map(chunk).collect::<String>());
    let answer = browser.get_with("/session", &[("cookie", &cookies)]).await;
    assert_eq!((answer.code().as_str(), answer.cookies()), ("lookup_too_large", Vec::new()));
}

#[tokio::test]
async fn cookie_cache_of_another_visitor_is_never_the_session() {
    let upstream = Upstream::start().await;
    for cached in [false, true] {
        let mut builder = upstream.builder();
        if cached {
            builder = builder.session_cache(Duration::from_secs(60));
        }
        let (_app, browser) = support::app_of(builder).await;
        let cookies = [
            token("adas"),
            format!("{}; better-auth.session_data=adas", token("adas")),
            format!("{}; better-auth.session_data=evas", token("adas")),
            format!("better-auth.session_data=evas; {}", token("adas")),
            format!("{}; better-auth.session_data.0=ev; better-auth.session_data.1=as", token("adas")),
            format!("{}; better-auth.session_data=evas; better-auth.session_data=adas", token("adas")),
        ];
        for _ in 0..3 {
            let [a, b, c, d, e, f] = &cookies;
            let found = tokio::join!(
                user(&browser, a),
                user(&browser, b),
                user(&browser, c),
                user(&browser, d),
                user(&browser, e),
                user(&browser, f),
            );
            let own = || (200, json!("adas"));
            assert_eq!(found, (own(), own(), own(), own(), own(), own()), "{cached}");
        }
        let (status, id) = user(&browser, "better-auth.session_data=evas").await;
        assert_eq!((status, id), (401, Value::Null));
    }
}

#[tokio::test]
async fn only_cookies_of_the_session_are_sent_and_relayed() {
    let upstream = Upstream::start().await;
    let (_app, browser) = support::app_of(upstream.builder()).await;
    let cookies = format!(
        "theme=dark; {}; better-auth.account_data=x; better-auth.session_token_multi-a=b; better-auth.state=c; \
         better-auth.dont_remember=true.x; better-auth.session_data=adas; __Secure-better-auth.session_data=evas",
        token("adas")
    );
    let answer = browser.get_with("/session", &[("cookie", &cookies)]).await;
    assert_eq!(answer.status, 200);
    assert!(!answer.body.contains("token"), "{}", answer.body);
    assert_eq!(answer.cookies().len(), 1, "{:?}", answer.cookies());
    assert_eq!(
        upstream.sent(),
        [format!("{}; better-auth.session_data=adas; better-auth.dont_remember=true.x", token("adas"))]
    );
    let answer = browser
        .get_with(
            "/session",
            &[("authorization", "Bearer adas"), ("cookie", "better-auth.session_data=evas")],
        )
        .await;
    assert_eq!((answer.status, answer.cookies()), (200, Vec::new()));
    assert_eq!(upstream.sent()[1], "");
}

/// With `advanced.skipTrailingSlashes` Better Auth answers `/get-session/`, and a server in front may decode the path.
#[tokio::test]
async fn no_spelling_of_the_session_route_shows_the_session_token() {
    let upstream = Upstream::start().await;
    let (_app, browser) = support::app_of(upstream.builder()).await;
    for path in ["/get-session", "/get-session/", "/get%2Dsession", "/get-session?disableCookieCache=true"] {
        let answer = browser.get_with(&format!("/api/auth{path}"), &[("cookie", &token("adas"))]).await;
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!((&body["user"]["id"], body["session"].get("token")), (&json!("adas"), None), "{path}");
    }
}
