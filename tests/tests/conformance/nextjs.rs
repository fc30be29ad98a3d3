//! Sign-ins with the Next.js servers of examples/nextjs, with next-auth v5 and v4: the three set-ups of its README, and
//! the behaviour without them.

use auth_proxy::options::Builder;
use auth_proxy::options::UpstreamKind::{self, Authjs, NextAuthV4};
use auth_proxy_tests::{Answer, App, Browser, free_port};
use axum::Router;
use serde_json::Value;

use crate::browser::{output, run};
use crate::deployments::{Auth, Deployment, pages, routes};
use crate::next_server::{KEY, rust_port};
use crate::server::Server;
use auth_proxy_tests::follow_to_the_end;

const KINDS: [UpstreamKind; 2] = [Authjs, NextAuthV4];

/// How Next.js learns the origin of this app.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum OriginFrom {
    /// From the forwarded headers, which the lines of `route.js` in the README read.
    RouteJs,
    /// From `AUTH_URL`, or in v4 `NEXTAUTH_URL`. Its host must be a name, since Next.js turns 127.0.0.1 into
    /// `localhost`.
    AuthUrl,
    /// Next.js has its defaults, and does not learn the origin.
    Defaults,
}

/// A Next.js server for an app on the origin `own`, which it learns in the way `origin_from`.
pub(crate) fn server(kind: UpstreamKind, origin_from: OriginFrom, own: &str, issuer: &str) -> Server {
    let trust = if kind == NextAuthV4 { ("AUTH_TRUST_HOST", "1") } else { ("", "") };
    let vars = match origin_from {
        OriginFrom::RouteJs => vec![("AUTH_PROXY_KEY", KEY), trust],
        OriginFrom::AuthUrl => vec![(url_variable(kind), own)],
        OriginFrom::Defaults => vec![],
    };
    let vars = vars.into_iter().filter(|(name, _)| !name.is_empty()).chain([("ISSUER", issuer)]);
    Server::next(kind, &vars.collect::<Vec<_>>())
}

fn url_variable(kind: UpstreamKind) -> &'static str {
    if kind == NextAuthV4 { "NEXTAUTH_URL" } else { "AUTH_URL" }
}

fn auth(kind: UpstreamKind, server: &Server, own: &str) -> Auth {
    builder(kind, server, own).build().unwrap()
}

/// An app in front of a Next.js server, with the key that the lines of `route.js` check.
pub(crate) fn builder(kind: UpstreamKind, server: &Server, own: &str) -> Builder<Auth> {
    Auth::builder()
        .upstream_base_url(&server.url)
        .upstream_kind(kind)
        .public_url(own)
        .upstream_headers([("x-api-key", KEY)])
}

/// A front door: Next.js is internal, and browsers see only this app's origin.
pub(crate) async fn front_door(kind: UpstreamKind, origin_from: OriginFrom) -> Deployment {
    let port = free_port();
    let own = format!(
        "http://{}:{port}",
        if origin_from == OriginFrom::AuthUrl { "localhost" } else { "127.0.0.1" }
    );
    let callback = format!("{own}/api/auth/callback/idp");
    let idp = Server::identity_provider(&callback);
    let server = server(kind, origin_from, &own, &idp.url);
    let app = App::start_at(port, pages(&auth(kind, &server, &own))).await;
    Deployment::of_one(own, callback, app, vec![idp, server])
}

/// A front door over https. TLS is terminated in front of the app.
async fn front_door_https(kind: UpstreamKind) -> Deployment {
    let [outer, inner] = [free_port(), free_port()];
    let own = format!("https://app.localtest:{outer}");
    let callback = format!("{own}/api/auth/callback/idp");
    let idp = Server::identity_provider(&callback);
    let server = server(kind, OriginFrom::RouteJs, &own, &idp.url);
    let auth = auth(kind, &server, &own);
    assert!(auth.config().cookie_names().iter().all(|name| name.starts_with("__Secure-")));
    let app = App::start_at(inner, pages(&auth)).await;
    let tls = Server::tls(outer, inner);
    Deployment::of_one(own, callback, app, vec![idp, server, tls])
}

/// Browsers see Next.js, and its rewrites forward `/api/rust` to the app.
async fn behind_rewrites(kind: UpstreamKind) -> Deployment {
    let port = free_port();
    let own = format!("http://localhost:{port}");
    let callback = format!("{own}/api/auth/callback/idp");
    let idp = Server::identity_provider(&callback);
    let url = format!("{own}/api/auth");
    let server = Server::next_at(port, kind, &[(url_variable(kind), &url), ("ISSUER", &idp.url)]);
    let auth =
        Auth::builder().upstream_base_url(&server.url).upstream_kind(kind).public_url(&own).build().unwrap();
    // As in the README: the app has no sign-in routes, and its routes have the path prefix that the browser uses.
    let router =
        Router::new().nest("/api/rust", routes(&auth)).layer(auth.session_cookie_layer()).with_state(auth);
    let app = App::start_at(rust_port(kind), router).await;
    Deployment::of_one(own, callback, app, vec![idp, server])
}

/// Signs in by credentials and by OAuth. Each time the visitor reaches the requested page, has a session, signs out,
/// and is refused.
async fn signs_in_and_out(deployment: &Deployment, pages: &str, case: &str) {
    let own = &deployment.apps[0];
    let page = |name: &str| format!("{pages}/{name}");
    let browser = Browser::at(own);
    let refused = browser.get_with(&page("protected"), &[("accept", "text/html")]).await;
    let wanted = percent(&format!("{own}{}", page("protected")));
    assert_eq!(refused.header("location"), format!("/api/auth/signin?callbackUrl={wanted}"), "{case}");

    let signed_in = browser.sign_in("demo", "demo").await;
    // next-auth redirects with an absolute URL.
    assert_eq!(signed_in.header("location").trim_end_matches('/'), own, "{case} {signed_in:?}");
    assert_eq!(browser.get(&page("me")).await.body, "demo@example.com", "{case}");
    signs_out(&browser, &page, case).await;
    let wrong = browser.sign_in("demo", "wrong").await;
    let location = wrong.header("location");
    assert!(location.starts_with(&format!("{own}/api/auth/")), "{case} {wrong:?}");
    assert!(location.contains("error=CredentialsSignin"), "{case} {wrong:?}");

    let form = [("callbackUrl", format!("{own}{}", page("protected")))];
    let start =
        browser.post_auth("signin/idp", &form.each_ref().map(|(name, value)| (*name, value.as_str()))).await;
    assert_eq!(redirect_uri(&start), deployment.callback, "{case}");
    let (last, at) = follow_to_the_end(&browser, start, own.clone()).await;
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

/// The `redirect_uri` that the provider gets.
fn redirect_uri(start: &Answer) -> String {
    let authorize = reqwest::Url::parse(start.header("location")).unwrap_or_else(|_| panic!("{start:?}"));
    let (_, value) = authorize.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap_or_default();
    value.into_owned()
}

#[tokio::test]
async fn next_js_with_route_js_lines_signs_in_and_out() {
    for kind in KINDS {
        signs_in_and_out(&front_door(kind, OriginFrom::RouteJs).await, "", &format!("{kind:?}")).await;
    }
}

#[tokio::test]
async fn next_js_with_auth_url_signs_in_and_out() {
    for kind in KINDS {
        signs_in_and_out(&front_door(kind, OriginFrom::AuthUrl).await, "", &format!("{kind:?}")).await;
    }
}

/// Both parts need the port that is fixed by `next build`, so one test has both: requests over HTTP, then Chromium.
#[tokio::test]
async fn rust_app_behind_next_js_rewrites_signs_in_and_out() {
    for kind in KINDS {
        let deployment = behind_rewrites(kind).await;
        signs_in_and_out(&deployment, "/api/rust", &format!("{kind:?}")).await;
        visit(&format!("nextjs-rewrites-{kind:?}"), &deployment, "/api/rust").await;
    }
}

#[tokio::test]
async fn next_js_front_doors_work_in_chromium() {
    for kind in KINDS {
        visit(&format!("nextjs-lines-{kind:?}"), &front_door(kind, OriginFrom::RouteJs).await, "").await;
        visit(&format!("nextjs-https-{kind:?}"), &front_door_https(kind).await, "").await;
        visit(&format!("nextjs-url-{kind:?}"), &front_door(kind, OriginFrom::AuthUrl).await, "").await;
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

/// The test shows why the lines of `route.js` are needed. Without them the provider sends visitors back to the Next.js
/// server, and forms are posted there without the cookies of the app.
#[tokio::test]
async fn next_js_without_route_js_lines_uses_its_own_origin() {
    let deployment = front_door(Authjs, OriginFrom::Defaults).await;
    let own = &deployment.apps[0];
    let browser = Browser::at(own);
    let sign_in_url = provider_url(&browser).await;
    assert!(sign_in_url.starts_with("http://localhost:") && !sign_in_url.starts_with(own), "{sign_in_url}");
    let start = browser.post_auth("signin/idp", &[("callbackUrl", &format!("{own}/protected"))]).await;
    assert!(redirect_uri(&start).starts_with("http://localhost:"), "{start:?}");
    // The form is posted to the Next.js host, where the browser has no cookies of this app.
    let missing = browser.post(&sign_in_url, &[("csrfToken", &browser.csrf().await)]).await;
    assert!(missing.header("location").contains("error=MissingCSRF"), "{missing:?}");
}

/// Without `AUTH_TRUST_HOST` and `NEXTAUTH_URL` v4 uses `http://localhost:3000` in all URLs.
#[tokio::test]
async fn next_auth_v4_without_settings_uses_port_3000() {
    let deployment = front_door(NextAuthV4, OriginFrom::Defaults).await;
    let browser = Browser::at(&deployment.apps[0]);
    assert_eq!(provider_url(&browser).await, "http://localhost:3000/api/auth/signin/credentials");
    let start = browser.post_auth("signin/idp", &[("callbackUrl", "/protected")]).await;
    assert_eq!(redirect_uri(&start), "http://localhost:3000/api/auth/callback/idp");
}

/// The sign-in URL of the credentials provider.
async fn provider_url(browser: &Browser) -> String {
    let providers: Value = browser.get("/api/auth/providers").await.json();
    providers["credentials"]["signinUrl"].as_str().unwrap().to_owned()
}

/// With two apps on two origins, the lines of `route.js` serve both. `AUTH_URL` serves only the origin that it
/// contains.
#[tokio::test]
async fn next_js_with_auth_url_serves_one_origin_only() {
    for kind in KINDS {
        for origin_from in [OriginFrom::RouteJs, OriginFrom::AuthUrl] {
            let [one, other] =
                [free_port(), free_port()].map(|port| (format!("http://localhost:{port}"), port));
            let server = server(kind, origin_from, &one.0, "http://127.0.0.1:9");
            for (own, port) in [&one, &other] {
                let _app = App::start_at(*port, pages(&auth(kind, &server, own))).await;
                let named = if origin_from == OriginFrom::RouteJs { own } else { &one.0 };
                let url = provider_url(&Browser::at(own)).await;
                assert_eq!(url, format!("{named}/api/auth/signin/credentials"), "{kind:?} {origin_from:?}");
            }
        }
    }
}

/// A client that reaches Next.js directly cannot choose the host by `X-Forwarded-Host`.
#[tokio::test]
async fn next_js_with_route_js_lines_trusts_forwarded_host_only_with_the_key() {
    for kind in KINDS {
        let server = server(kind, OriginFrom::RouteJs, "", "http://127.0.0.1:9");
        for key in ["", "another key"] {
            let headers =
                [("x-forwarded-host", "evil.example"), ("x-forwarded-proto", "https"), ("x-api-key", key)];
            let answer = Browser::at(&server.url).get_with("/api/auth/providers", &headers).await;
            assert!(!answer.body.contains("evil.example"), "{kind:?} {answer:?}");
            assert_eq!(answer.status, if kind == NextAuthV4 { 403 } else { 200 });
        }
    }
}
