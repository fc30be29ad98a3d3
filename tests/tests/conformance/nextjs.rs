//! A real Next.js with next-auth v5 and v4, as examples/nextjs has it, in the three set-ups of its README, and without
//! what the README says.

use auth_proxy::Kind::{self, Authjs, NextAuthV4};
use auth_proxy_tests::{Answer, App, Browser, free_port};
use axum::Router;
use serde_json::Value;

use crate::browser::{output, run};
use crate::deployments::{Auth, Deployment, pages, routes};
use crate::next_server::{KEY, rust_port};
use crate::openid::walk;
use crate::server::Server;

const KINDS: [Kind; 2] = [Authjs, NextAuthV4];

/// What makes Next.js use this app's origin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum By {
    /// The lines of `route.js`.
    Lines,
    /// `AUTH_URL`, which v4 calls `NEXTAUTH_URL`. Its origin is a name: of 127.0.0.1 Next.js makes `localhost`.
    Url,
    /// Nothing: Next.js as it comes.
    Nothing,
}

/// Next.js with what is believed, for an app on this origin.
fn server(kind: Kind, by: By, own: &str, issuer: &str) -> Server {
    let trust = if kind == NextAuthV4 { ("AUTH_TRUST_HOST", "1") } else { ("", "") };
    let vars = match by {
        By::Lines => vec![("AUTH_PROXY_KEY", KEY), trust],
        By::Url => vec![(url_variable(kind), own)],
        By::Nothing => vec![],
    };
    let vars = vars.into_iter().filter(|(name, _)| !name.is_empty()).chain([("ISSUER", issuer)]);
    Server::next(kind, &vars.collect::<Vec<_>>())
}

fn url_variable(kind: Kind) -> &'static str {
    if kind == NextAuthV4 { "NEXTAUTH_URL" } else { "AUTH_URL" }
}

fn auth(kind: Kind, server: &Server, own: &str) -> Auth {
    let auth = Auth::builder()
        .upstream_base_url(&server.url)
        .upstream_kind(kind)
        .public_url(own)
        .upstream_headers([("x-api-key", KEY)]);
    auth.build().unwrap()
}

/// Next.js is internal, and everything happens on this app's origin.
pub(crate) async fn front_door(kind: Kind, by: By) -> Deployment {
    let port = free_port();
    let own = format!("http://{}:{port}", if by == By::Url { "localhost" } else { "127.0.0.1" });
    let callback = format!("{own}/api/auth/callback/idp");
    let idp = Server::identity_provider(&callback);
    let server = server(kind, by, &own, &idp.url);
    let app = App::start_at(port, pages(&auth(kind, &server, &own))).await;
    Deployment::of_one(own, callback, app, vec![idp, server])
}

/// The same over https, which ends before this app.
async fn front_door_https(kind: Kind) -> Deployment {
    let [outer, inner] = [free_port(), free_port()];
    let own = format!("https://app.localtest:{outer}");
    let callback = format!("{own}/api/auth/callback/idp");
    let idp = Server::identity_provider(&callback);
    let server = server(kind, By::Lines, &own, &idp.url);
    let auth = auth(kind, &server, &own);
    assert!(auth.config().cookie_names().iter().all(|name| name.starts_with("__Secure-")));
    let app = App::start_at(inner, pages(&auth)).await;
    let tls = Server::tls(outer, inner);
    Deployment::of_one(own, callback, app, vec![idp, server, tls])
}

/// Next.js is what browsers see, and the app is below `/api/rust` of it, by its rewrites.
async fn behind_rewrites(kind: Kind) -> Deployment {
    let port = free_port();
    let own = format!("http://localhost:{port}");
    let callback = format!("{own}/api/auth/callback/idp");
    let idp = Server::identity_provider(&callback);
    let url = format!("{own}/api/auth");
    let server = Server::next_at(port, kind, &[(url_variable(kind), &url), ("ISSUER", &idp.url)]);
    let auth =
        Auth::builder().upstream_base_url(&server.url).upstream_kind(kind).public_url(&own).build().unwrap();
    // As the README has it: no sign-in routes, and the path that browsers ask for.
    let router = Router::new().nest("/api/rust", routes(&auth)).layer(auth.layer()).with_state(auth);
    let app = App::start_at(rust_port(kind), router).await;
    Deployment::of_one(own, callback, app, vec![idp, server])
}

/// Signs in both ways, lands on the page asked for, is known, signs out, and is refused.
async fn signs_in_and_out(deployment: &Deployment, pages: &str, case: &str) {
    let own = &deployment.apps[0];
    let page = |name: &str| format!("{pages}/{name}");
    let browser = Browser::at(own);
    let refused = browser.get_with(&page("protected"), &[("accept", "text/html")]).await;
    let wanted = percent(&format!("{own}{}", page("protected")));
    assert_eq!(refused.header("location"), format!("/api/auth/signin?callbackUrl={wanted}"), "{case}");

    let signed_in = browser.sign_in("demo", "demo").await;
    // next-auth answers a form with the absolute URL of the page.
    assert_eq!(signed_in.header("location").trim_end_matches('/'), own, "{case} {signed_in:?}");
    assert_eq!(browser.get(&page("me")).await.body, "demo@example.com", "{case}");
    signs_out(&browser, &page, case).await;
    let wrong = browser.sign_in("demo", "wrong").await;
    let said = wrong.header("location");
    assert!(said.starts_with(&format!("{own}/api/auth/")), "{case} {wrong:?}");
    assert!(said.contains("error=CredentialsSignin"), "{case} {wrong:?}");

    let form = [("callbackUrl", format!("{own}{}", page("protected")))];
    let start =
        browser.post_auth("signin/idp", &form.each_ref().map(|(name, value)| (*name, value.as_str()))).await;
    assert_eq!(redirect_uri(&start), deployment.callback, "{case}");
    let (last, at) = walk(&browser, start, own.clone()).await;
    assert_eq!((at, last.body.as_str()), (format!("{own}{}", page("protected")), "ok"), "{case}");
    assert_eq!(browser.get(&page("me")).await.body, "ada@idp.example", "{case}");
    signs_out(&browser, &page, case).await;
}

async fn signs_out(browser: &Browser, page: &impl Fn(&str) -> String, case: &str) {
    browser.sign_out().await;
    for name in ["me", "protected"] {
        assert_eq!(browser.get(&page(name)).await.status, 401, "{case} {name}");
    }
}

fn percent(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
        .to_string()
        .replace("%2E", ".")
        .replace("%2D", "-")
}

/// Where the provider is told to send people back to.
fn redirect_uri(start: &Answer) -> String {
    let authorize = reqwest::Url::parse(start.header("location")).unwrap_or_else(|_| panic!("{start:?}"));
    let (_, value) = authorize.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap_or_default();
    value.into_owned()
}

#[tokio::test]
async fn the_lines_of_route_js() {
    for kind in KINDS {
        signs_in_and_out(&front_door(kind, By::Lines).await, "", &format!("{kind:?}")).await;
    }
}

#[tokio::test]
async fn auth_url() {
    for kind in KINDS {
        signs_in_and_out(&front_door(kind, By::Url).await, "", &format!("{kind:?}")).await;
    }
}

/// Over HTTP and in Chromium, one after the other: both need the one port that is written into the build.
#[tokio::test]
async fn rust_behind_rewrites() {
    for kind in KINDS {
        let deployment = behind_rewrites(kind).await;
        signs_in_and_out(&deployment, "/api/rust", &format!("{kind:?}")).await;
        visit(&format!("nextjs-rewrites-{kind:?}"), &deployment, "/api/rust").await;
    }
}

#[tokio::test]
async fn the_lines_of_route_js_in_a_browser() {
    for kind in KINDS {
        visit(&format!("nextjs-lines-{kind:?}"), &front_door(kind, By::Lines).await, "").await;
        visit(&format!("nextjs-https-{kind:?}"), &front_door_https(kind).await, "").await;
        visit(&format!("nextjs-url-{kind:?}"), &front_door(kind, By::Url).await, "").await;
    }
}

async fn visit(name: &str, deployment: &Deployment, pages: &str) {
    let own = &deployment.apps[0];
    let vars = vec![
        ("APP", own.clone()),
        ("PAGES", format!("{own}{pages}")),
        ("OUTPUT", output(&name.to_lowercase())),
    ];
    run("visit.mjs", vars, "signed in, known, signed out, refused").await;
}

/// Why the lines are needed: with Next.js as it comes the provider sends people elsewhere, and forms do not find
/// their cookies.
#[tokio::test]
async fn without_the_lines_the_origin_is_next_jss_own() {
    let deployment = front_door(Authjs, By::Nothing).await;
    let own = &deployment.apps[0];
    let browser = Browser::at(own);
    let sign_in_url = provider_url(&browser).await;
    assert!(sign_in_url.starts_with("http://localhost:") && !sign_in_url.starts_with(own), "{sign_in_url}");
    let start = browser.post_auth("signin/idp", &[("callbackUrl", &format!("{own}/protected"))]).await;
    assert!(redirect_uri(&start).starts_with("http://localhost:"), "{start:?}");
    // The form of the page, which has this app's cookies, is posted to Next.js, which has none.
    let missing = browser.post(&sign_in_url, &[("csrfToken", &browser.csrf().await)]).await;
    assert!(missing.header("location").contains("error=MissingCSRF"), "{missing:?}");
}

/// Without `AUTH_TRUST_HOST` and `NEXTAUTH_URL` v4 makes everything of `http://localhost:3000`.
#[tokio::test]
async fn without_a_word_v4_is_on_port_3000() {
    let deployment = front_door(NextAuthV4, By::Nothing).await;
    let browser = Browser::at(&deployment.apps[0]);
    assert_eq!(provider_url(&browser).await, "http://localhost:3000/api/auth/signin/credentials");
    let start = browser.post_auth("signin/idp", &[("callbackUrl", "/protected")]).await;
    assert_eq!(redirect_uri(&start), "http://localhost:3000/api/auth/callback/idp");
}

/// Where the first form of a client of Auth.js goes.
async fn provider_url(browser: &Browser) -> String {
    let providers: Value = browser.get("/api/auth/providers").await.json();
    providers["credentials"]["signinUrl"].as_str().unwrap().to_owned()
}

/// Two apps on two origins: the lines serve both, `AUTH_URL` the one that it names.
#[tokio::test]
async fn auth_url_serves_one_origin_only() {
    for kind in KINDS {
        for by in [By::Lines, By::Url] {
            let [one, other] =
                [free_port(), free_port()].map(|port| (format!("http://localhost:{port}"), port));
            let server = server(kind, by, &one.0, "http://127.0.0.1:9");
            for (own, port) in [&one, &other] {
                let _app = App::start_at(*port, pages(&auth(kind, &server, own))).await;
                let named = if by == By::Lines { own } else { &one.0 };
                let url = provider_url(&Browser::at(own)).await;
                assert_eq!(url, format!("{named}/api/auth/signin/credentials"), "{kind:?} {by:?}");
            }
        }
    }
}

/// `X-Forwarded-Host` of a stranger who reaches Next.js decides nothing.
#[tokio::test]
async fn the_lines_believe_the_key_only() {
    for kind in KINDS {
        let server = server(kind, By::Lines, "", "http://127.0.0.1:9");
        for key in ["", "another key"] {
            let headers =
                [("x-forwarded-host", "evil.example"), ("x-forwarded-proto", "https"), ("x-api-key", key)];
            let answer = Browser::at(&server.url).get_with("/api/auth/providers", &headers).await;
            assert!(!answer.body.contains("evil.example"), "{kind:?} {answer:?}");
            assert_eq!(answer.status, if kind == NextAuthV4 { 403 } else { 200 });
        }
    }
}
