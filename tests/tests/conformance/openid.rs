//! OAuth sign-in that completes: a real Auth.js server behind the proxy, and a real OpenID provider
//! that demands PKCE. The steps are those of a browser; no redirect is followed but by hand.

use auth_proxy::Strategy;
use auth_proxy_tests::{Answer, App, Browser, free_port};
use axum::Router;
use axum::routing::get;

use crate::server::Server;

auth_proxy::auth_proxy! {
    struct Auth { upstream: { kind: authjs, base_url: env("URL"), session_strategy: env("STRATEGY", default = "jwt") } }
}

async fn me(session: auth_proxy::Session<Auth>) -> String {
    session.user.email.clone().unwrap_or_default()
}

#[auth_proxy::require_session]
async fn protected() -> &'static str {
    "ok"
}

/// Follows redirects until there is none, and through the forms of the provider. Answers the last
/// page and its address.
async fn walk(browser: &Browser, mut answer: Answer, mut at: String) -> (Answer, String) {
    for _ in 0..20 {
        if (300..400).contains(&answer.status) {
            at = absolute(&at, answer.header("location"));
            answer = browser.get(&at).await;
        } else if let Some(action) = between(&answer.body, "action=\"", "\"") {
            let prompt =
                between(&answer.body, "name=\"prompt\" value=\"", "\"").expect("a prompt").to_owned();
            at = absolute(&at, action);
            answer = browser.post(&at, &[("prompt", &prompt), ("login", "ada"), ("password", "any")]).await;
        } else {
            return (answer, at);
        }
    }
    panic!("in circles at {at}: {answer:?}");
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    text.split_once(start)?.1.split_once(end).map(|(found, _)| found)
}

/// A link as a browser reads it.
fn absolute(base: &str, link: &str) -> String {
    reqwest::Url::parse(base).unwrap().join(link).unwrap().to_string()
}

/// The front door: everything happens on this app's origin.
#[tokio::test]
async fn the_front_door_signs_in_and_out() {
    for strategy in [Strategy::Jwt, Strategy::Database] {
        let port = free_port();
        let own = format!("http://127.0.0.1:{port}");
        let idp = Server::identity_provider(&[format!("{own}/api/auth/callback/idp")]);
        let server = Server::with(strategy, "/api/auth", &[("ISSUER", &idp.url)]);
        let auth = Auth::builder().base_url(&server.url).session_strategy(strategy).build().unwrap();
        let app = App::start_at(port, pages(&auth)).await;
        let browser = Browser::of(&app);

        // Sent to sign in, with the way back.
        let refused = browser.get_with("/protected", &[("accept", "text/html")]).await;
        assert_eq!(refused.header("location"), "/api/auth/signin?callbackUrl=%2Fprotected");
        let start = browser.post_auth("signin/idp", &[("callbackUrl", "/protected")]).await;
        let authorize = reqwest::Url::parse(start.header("location")).unwrap();
        let parameter = |name: &str| {
            authorize.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        assert!(start.header("location").starts_with(&idp.url), "{start:?}");
        assert_eq!(parameter("redirect_uri"), Some(format!("{own}/api/auth/callback/idp")));
        assert_eq!(parameter("code_challenge_method").as_deref(), Some("S256"));

        // Through the provider's login and consent, and back to the page that was asked for.
        let (page, at) = walk(&browser, start, own.clone()).await;
        assert_eq!(
            (at.as_str(), page.body.as_str()),
            (format!("{own}/protected").as_str(), "ok"),
            "{strategy:?} {page:?}"
        );
        assert_eq!(browser.get("/me").await.body, "ada@idp.example");

        browser.sign_out().await;
        assert_eq!(browser.get("/me").await.status, 401);
        assert_eq!(browser.get("/protected").await.status, 401);
    }
}

fn pages(auth: &Auth) -> Router {
    let router = Router::new().route("/me", get(me)).route("/protected", get(protected));
    auth.attach(router).with_state(auth.clone())
}

/// A public auth host that shares its cookies by domain: who signs in at one app is known at the
/// other, and the callback is the auth host's.
#[tokio::test]
async fn the_parent_domain_is_known_everywhere() {
    let [auth_port, one_port, other_port] = [free_port(), free_port(), free_port()];
    let host = format!("http://auth.team.localtest:{auth_port}");
    let idp = Server::identity_provider(&[format!("{host}/api/auth/callback/idp")]);
    let vars =
        [("ISSUER", idp.url.as_str()), ("COOKIE_DOMAIN", "team.localtest"), ("PORT", &auth_port.to_string())];
    let server = Server::with(Strategy::Jwt, "/api/auth", &vars);
    assert!(server.url.ends_with(&auth_port.to_string()));
    let app = async |name: &str, port: u16| {
        let own = format!("http://{name}.team.localtest:{port}");
        let auth = Auth::builder()
            .base_url(&host)
            .allow_http(true)
            .public_url(&own)
            .fetch(auth_proxy::Reqwest::new(auth_proxy_tests::loopback_client()))
            .build()
            .unwrap();
        assert_eq!(auth.config().host(), &auth_proxy::Host::Upstream);
        (App::start_at(port, pages(&auth)).await, own)
    };
    let (_one, one) = app("one", one_port).await;
    let (_other, other) = app("other", other_port).await;
    let browser = Browser::at(&one);

    let refused = browser.get_with("/protected", &[("accept", "text/html")]).await;
    let page = browser.get(refused.header("location")).await;
    let csrf = between(&page.body, "name=\"csrfToken\" value=\"", "\"").unwrap().to_owned();
    // The page is the auth host's own, and so is its form.
    let action = format!("{host}/api/auth/signin/idp");
    assert!(page.body.contains(&action), "{page:?}");
    let back = format!("{one}/protected");
    let start = browser.post(&action, &[("csrfToken", &csrf), ("callbackUrl", &back)]).await;
    let (page, at) = walk(&browser, start, host.clone()).await;
    assert_eq!((at.as_str(), page.body.as_str()), (back.as_str(), "ok"), "{page:?}");

    let elsewhere = browser.get(&format!("{other}/me")).await;
    assert_eq!(elsewhere.body, "ada@idp.example");
    // Signed out here is signed out there.
    browser.post_auth("signout", &[]).await;
    assert_eq!(browser.get(&format!("{other}/me")).await.status, 401);
}

/// One callback URL registered for two apps: the auth host passes the callback on to the app where the
/// sign-in began.
#[tokio::test]
async fn the_redirect_proxy_serves_two_apps_with_one_callback() {
    let [auth_port, one_port, other_port] = [free_port(), free_port(), free_port()];
    let host = format!("http://auth.localtest:{auth_port}/api/auth");
    let idp = Server::identity_provider(&[format!("{host}/callback/idp")]);
    let vars =
        [("ISSUER", idp.url.as_str()), ("AUTH_REDIRECT_PROXY_URL", &host), ("PORT", &auth_port.to_string())];
    let server = Server::with(Strategy::Jwt, "/api/auth", &vars);
    for (name, port) in [("one", one_port), ("other", other_port)] {
        let own = format!("http://{name}.localtest:{port}");
        let auth = Auth::builder().base_url(&server.url).build().unwrap();
        let _app = App::start_at(port, pages(&auth)).await;
        let browser = Browser::at(&own);
        let start = browser.post_auth("signin/idp", &[("callbackUrl", "/protected")]).await;
        let authorize = reqwest::Url::parse(start.header("location")).unwrap();
        let redirect = authorize.query_pairs().find(|(key, _)| key == "redirect_uri").unwrap().1.into_owned();
        assert_eq!(redirect, format!("{host}/callback/idp"));
        let (page, at) = walk(&browser, start, own.clone()).await;
        assert_eq!((at, page.body.as_str()), (format!("{own}/protected"), "ok"));
        assert_eq!(browser.get("/me").await.body, "ada@idp.example");
        browser.sign_out().await;
        assert_eq!(browser.get("/me").await.status, 401);
    }
}

/// A callback that was tampered with, or that comes twice, signs nobody in.
#[tokio::test]
async fn a_forged_callback_signs_nobody_in() {
    let port = free_port();
    let own = format!("http://127.0.0.1:{port}");
    let idp = Server::identity_provider(&[format!("{own}/api/auth/callback/idp")]);
    let server = Server::with(Strategy::Jwt, "/api/auth", &[("ISSUER", &idp.url)]);
    let auth = Auth::builder().base_url(&server.url).build().unwrap();
    let app =
        App::start_at(port, auth.attach(Router::new().route("/me", get(me))).with_state(auth.clone())).await;
    let browser = Browser::of(&app);
    browser.post_auth("signin/idp", &[("callbackUrl", "https://evil.example/")]).await;
    for query in ["code=forged&state=forged", "error=access_denied", "code=forged", ""] {
        let answer = browser.get(&format!("/api/auth/callback/idp?{query}")).await;
        assert!(answer.header("location").starts_with(&format!("{own}/api/auth/")), "{query}: {answer:?}");
        assert_eq!(browser.get("/me").await.status, 401, "{query}");
    }
    // HEAD never reaches a callback, where it would spend the code.
    let head = reqwest::Client::new().head(app.url("/api/auth/callback/idp?code=x")).send().await.unwrap();
    assert_eq!(head.status().as_u16(), 405);
}
