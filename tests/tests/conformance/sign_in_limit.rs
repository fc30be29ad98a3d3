//! `sign_in_limit` with real Auth.js and next-auth servers: no spelling of an account gets around the limit.

use auth_proxy::options::{SessionStrategy, UpstreamKind};
use auth_proxy_tests::{App, Browser};
use axum::Router;

use crate::server::{SECRET, Server};

auth_proxy::auth_proxy! {
    struct Auth { upstream: { kind: authjs, base_url: env("URL") } }
}

async fn app(server: &Server, kind: UpstreamKind, per_account: Option<&str>) -> App {
    let builder =
        Auth::builder().upstream_base_url(&server.url).upstream_kind(kind).upstream_secret([SECRET]);
    let builder = match per_account {
        Some(rate) => builder.sign_in_limit_per_account(rate),
        None => builder,
    };
    let auth = builder.build().unwrap();
    App::start(auth.attach(Router::new()).with_state(auth.clone())).await
}

/// Sends a body, and returns the status and whether a session cookie came back.
async fn send(app: &App, content_type: &str, body: &str) -> (u16, bool) {
    send_to(app, "/api/auth/callback/credentials", content_type, body).await
}

async fn send_to(app: &App, path: &str, content_type: &str, body: &str) -> (u16, bool) {
    let browser = Browser::of(app);
    let csrf = browser.get("/api/auth/csrf").await;
    let cookies: Vec<&str> = csrf.cookies().iter().filter_map(|cookie| cookie.split(';').next()).collect();
    let token = csrf.json()["csrfToken"].as_str().unwrap().to_owned();
    let body = body.replace("CSRF", &token);
    let request = auth_proxy_tests::loopback_client().post(app.url(path));
    let request = request.header("content-type", content_type).header("cookie", cookies.join("; "));
    let response = request.body(body).send().await.unwrap();
    let cookies = response.headers().get_all("set-cookie").iter();
    let signs_in =
        cookies.filter_map(|cookie| cookie.to_str().ok()).any(|cookie| cookie.contains("session-token="));
    (response.status().as_u16(), signs_in)
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// Bodies that sign in as `demo` at a server that reads them so.
const SPELLINGS: [(&str, &str); 16] = [
    (FORM, "csrfToken=CSRF&username=demo&password=demo"),
    (FORM, "csrfToken=CSRF&%75sername=%64emo&password=demo"),
    (FORM, "csrfToken=CSRF&username=other&username=demo&password=demo"),
    (FORM, "csrfToken=CSRF&username=demo&username=other&password=demo"),
    (FORM, "csrfToken=CSRF&username[]=demo&password=demo"),
    (FORM, "csrfToken=CSRF&username%5B%5D=demo&password=demo"),
    (FORM, "csrfToken=CSRF&username=other&username[]=demo&password=demo"),
    (FORM, "csrfToken=CSRF&[username]=demo&password=demo"),
    (FORM, "csrfToken=CSRF&username[0]=demo&password=demo"),
    ("application/x-www-form-urlencoded; charset=iso-8859-1", "csrfToken=CSRF&username=demo&password=demo"),
    ("Application/X-WWW-Form-URLEncoded", "csrfToken=CSRF&username=demo&password=demo"),
    (JSON, r#"{"csrfToken":"CSRF","username":"demo","password":"demo"}"#),
    (JSON, r#"{"csrfToken":"CSRF","\u0075sername":"\u0064emo","password":"demo"}"#),
    (JSON, r#"{"csrfToken":"CSRF","username":"other","username":"demo","password":"demo"}"#),
    (JSON, r#"{"csrfToken":"CSRF","username":["demo"],"password":"demo"}"#),
    (JSON, r#"{"csrfToken":"CSRF","x":"\ud800","username":"demo","password":"demo"}"#),
];

#[tokio::test]
async fn no_spelling_of_an_account_gets_around_its_limit() {
    let v4 = Server::v4(&[("ISSUER", "http://127.0.0.1:9")]);
    let authjs = Server::start(SessionStrategy::Jwt, "/api/auth", 0);
    for (server, kind) in [(authjs, UpstreamKind::Authjs), (v4, UpstreamKind::NextAuthV4)] {
        let open = app(&server, kind, None).await;
        let mut accepted = Vec::new();
        for (content_type, body) in SPELLINGS {
            if send(&open, content_type, body).await.1 {
                accepted.push(body);
            }
        }
        println!("{kind} signs in with {} of {}: {accepted:#?}", accepted.len(), SPELLINGS.len());
        assert!(accepted.len() >= 5, "the spellings are worth a test: {accepted:?}");
        let limited = app(&server, kind, Some("1/1m")).await;
        let wrong = "csrfToken=CSRF&username=demo&password=wrong";
        assert!(!send(&limited, FORM, wrong).await.1);
        for (content_type, body) in SPELLINGS {
            let (status, signs_in) = send(&limited, content_type, body).await;
            assert!(matches!(status, 400 | 429) && !signs_in, "{kind} {content_type} {body}: {status}");
        }
        let other = "csrfToken=CSRF&username=admin&password=admin";
        assert!(send(&limited, FORM, other).await.1, "{kind}: another account");
    }
}

/// next-auth v4 reads the first two segments of a path.
#[tokio::test]
async fn no_further_segment_gets_around_the_limit_at_next_auth_v4() {
    let server = Server::v4(&[("ISSUER", "http://127.0.0.1:9")]);
    let (good, path) = ("csrfToken=CSRF&username=demo&password=demo", "/api/auth/callback/credentials/x");
    let open = app(&server, UpstreamKind::NextAuthV4, None).await;
    assert!(send_to(&open, path, FORM, good).await.1, "next-auth signs in at this path");
    let limited = app(&server, UpstreamKind::NextAuthV4, Some("1/1m")).await;
    assert!(!send(&limited, FORM, "csrfToken=CSRF&username=demo&password=wrong").await.1);
    assert_eq!(send_to(&limited, path, FORM, good).await, (429, false));
}
