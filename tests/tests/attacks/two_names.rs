//! Attack: a request has two tokens, one under each of the two names that the session cookie may have.

use auth_proxy::{
    AuthError, RawToken, Session, Token,
    options::{SessionSource, SessionStrategy, UpstreamKind},
};
use auth_proxy_tests::{App, COOKIE_NAME, SECURE_COOKIE_NAME, loopback_client};
use axum::extract::{FromRequestParts, State};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::routing::get;
use axum::{Json, Router};

use crate::support::accounts::{
    Accounts, OTHER, OWN, PATHS, app, attack, raw_token, session_account, token_account,
};
use crate::support::{Auth, SECRET, Upstream, auth, first, seal};

/// A trusted proxy sends the scheme, and Auth.js has one cookie name for each scheme. `auth.session(&headers)` in a
/// handler must find the same account as the extractors.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn request_scheme_does_not_mix_accounts_of_two_cookie_names() {
    let (mut requests, mut mixed) = (0, Vec::new());
    for (kind, source) in [
        (None, SessionSource::Upstream),
        (Some(UpstreamKind::Authjs), SessionSource::Upstream),
        (None, SessionSource::Local),
        (Some(UpstreamKind::Authjs), SessionSource::Local),
    ] {
        for (seen_before, scheme) in [("", "http"), ("https", "http"), ("http", "https"), ("", "https")] {
            let upstream = Upstream::by_scheme(SessionStrategy::Jwt);
            let server = upstream.start().await;
            let mut builder =
                auth(&server, SessionStrategy::Jwt).session_source(source).upstream_secret([SECRET]);
            if let Some(kind) = kind {
                builder = builder.upstream_kind(kind);
            }
            let app = app(builder.trusted_proxies(["127.0.0.1"])).await;
            let own = [seal(OWN, COOKIE_NAME), seal(OWN, SECURE_COOKIE_NAME)];
            let other = [seal(OTHER, COOKIE_NAME), seal(OTHER, SECURE_COOKIE_NAME)];
            own.iter().for_each(|token| upstream.accept(token, OWN));
            if !seen_before.is_empty() {
                let head = format!(
                    "X-Forwarded-Proto: {seen_before}\r\nCookie: {COOKIE_NAME}={}; {SECURE_COOKIE_NAME}={}\r\n",
                    own[0], own[1]
                );
                assert_eq!(app.raw_get("/api/auth/session", &head).await.0, 200);
            }
            // The other account's token is revoked and sent under the cookie name of the other scheme.
            let lines = [
                format!("Cookie: {SECURE_COOKIE_NAME}={}; {COOKIE_NAME}={}\r\n", other[1], own[0]),
                format!("Cookie: {COOKIE_NAME}={}; {SECURE_COOKIE_NAME}={}\r\n", own[0], other[1]),
                format!("Cookie: {SECURE_COOKIE_NAME}={}; {COOKIE_NAME}={}\r\n", own[1], other[0]),
                format!("Cookie: {COOKIE_NAME}={}; {SECURE_COOKIE_NAME}={}\r\n", other[0], own[1]),
            ];
            let forwarded_proto = format!("X-Forwarded-Proto: {scheme}\r\n");
            let (_, wrong) = attack(&app, &lines, &PATHS[..6], &own, &other, &forwarded_proto).await;
            requests += lines.len() * 6;
            let setting = format!("{kind:?}, {source:?}, {scheme}, seen before {seen_before:?}");
            mixed.extend(wrong.into_iter().map(|wrong| format!("{setting}: {wrong}")));
        }
    }
    println!(
        "two tokens: {} of {requests} requests mixed accounts under the names of two schemes",
        mixed.len()
    );
    assert!(mixed.is_empty(), "{}", first(&mixed));
}

/// Without `kind` both names count. An attacker signs in over http, where the upstream sets the cookie without prefix.
/// At visitors over https the cookie with the prefix must still come first: it a page over http cannot set it.
#[tokio::test]
async fn sign_in_over_http_does_not_change_which_cookie_counts_over_https() {
    let upstream = Upstream::by_scheme(SessionStrategy::Jwt);
    let server = upstream.start().await;
    let builder = auth(&server, SessionStrategy::Jwt).upstream_secret([SECRET]);
    let app = app(builder.trusted_proxies(["127.0.0.1"])).await;
    let (own, other) = (seal(OWN, SECURE_COOKIE_NAME), seal(OTHER, COOKIE_NAME));
    upstream.accept(&own, OWN);
    upstream.accept(&other, OTHER);
    let over_http = format!("X-Forwarded-Proto: http\r\nCookie: {COOKIE_NAME}={other}\r\n");
    assert_eq!(app.raw_get("/api/auth/session", &over_http).await.0, 200);
    let lines = [format!("Cookie: {COOKIE_NAME}={other}; {SECURE_COOKIE_NAME}={own}\r\n")];
    let https = "X-Forwarded-Proto: https\r\n";
    let (accounts, mixed) = attack(&app, &lines, &PATHS, &[own], &[other], https).await;
    println!("two tokens: {} of {} requests over https mixed accounts", mixed.len(), PATHS.len());
    assert!(mixed.is_empty(), "{}", first(&mixed));
    assert!(accounts > 10, "too few accounts: {accounts}");
}

/// An extractor that sends another visitor's request while the first request is handled. From the response of the
/// upstream the app learns which cookie name the upstream uses.
struct Meanwhile;

impl FromRequestParts<Auth> for Meanwhile {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Auth) -> Result<Self, Self::Rejection> {
        let Some(url) = parts.headers.get("x-meanwhile").and_then(|url| url.to_str().ok()) else {
            return Ok(Self);
        };
        let request = loopback_client().get(url).header("cookie", parts.headers["x-visitor"].clone());
        assert_eq!(request.send().await.unwrap().status(), 200);
        Ok(Self)
    }
}

async fn interrupted(
    raw: Result<RawToken<Auth>, AuthError>,
    _meanwhile: Meanwhile,
    session: Result<Session<Auth>, AuthError>,
    token: Result<Token<Auth>, AuthError>,
    State(auth): State<Auth>,
    headers: HeaderMap,
) -> Json<Accounts> {
    let accounts =
        [raw_token(raw.map(Some)), session_account(session.map(Some)), token_account(token.map(Some))];
    let called = [
        raw_token(auth.raw_token(&headers)),
        session_account(auth.session(&headers).await),
        token_account(auth.token(&headers).await),
    ];
    Json(accounts.into_iter().chain(called).flatten().collect())
}

#[tokio::test]
async fn cookie_name_learned_during_a_request_does_not_mix_accounts() {
    let (mut requests, mut mixed) = (0, Vec::new());
    for name in [COOKIE_NAME, SECURE_COOKIE_NAME] {
        for (at_secure, at_plain) in [(OWN, OTHER), (OTHER, OWN)] {
            let upstream = Upstream::new(name, SessionStrategy::Jwt);
            let server = upstream.start().await;
            let auth = auth(&server, SessionStrategy::Jwt).upstream_secret([SECRET]).build().unwrap();
            let router = Router::new().route("/interrupted", get(interrupted));
            let app = App::start(auth.attach(router).with_state(auth.clone())).await;
            let tokens = [seal(at_secure, name), seal(at_plain, name)];
            for (token, account) in tokens.iter().zip([at_secure, at_plain]) {
                if account == OWN {
                    upstream.accept(token, OWN);
                }
            }
            let own = tokens
                .iter()
                .zip([at_secure, at_plain])
                .find(|(_, account)| *account == OWN)
                .unwrap()
                .0
                .clone();
            let other = tokens.iter().find(|token| **token != own).unwrap().clone();
            let visitor = format!("{name}={}", upstream.issue("ada"));
            let line = format!(
                "X-Meanwhile: {}\r\nX-Visitor: {visitor}\r\nCookie: {SECURE_COOKIE_NAME}={}; {COOKIE_NAME}={}\r\n",
                app.url("/api/auth/session"),
                tokens[0],
                tokens[1]
            );
            let (_, wrong) = attack(&app, &[line], &["/interrupted"], &[own], &[other], "").await;
            requests += 1;
            mixed.extend(wrong);
        }
    }
    println!(
        "two tokens: {} of {requests} requests mixed accounts when the cookie name was learned during the request",
        mixed.len()
    );
    assert!(mixed.is_empty(), "{}", first(&mixed));
}
