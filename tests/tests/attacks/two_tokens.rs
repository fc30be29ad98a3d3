//! Attack 2: a request with two tokens, so that the app takes the session of one account and the token of another.

use std::collections::{BTreeMap, BTreeSet};

use auth_proxy::{
    AuthError, Policy, RawToken, Session, Token,
    options::{Builder, SessionSource, SessionStrategy},
    require_session,
};
use auth_proxy_tests::App;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::get;
use axum::{Json, Router};

use crate::support::{Auth, COOKIE, SECRET, SECURE, Upstream, auth, first, read, seal};

pub(crate) const OWN: &str = "mallory";
pub(crate) const OTHER: &str = "admin";

/// The accounts that a response names: a user name, or `raw:` and the token.
pub(crate) type Who = Vec<String>;

pub(crate) fn of_session(found: Result<Option<Session<Auth>>, AuthError>) -> Option<String> {
    found.ok().flatten()?.user.name.clone()
}

pub(crate) fn of_token(found: Result<Option<Token<Auth>>, AuthError>) -> Option<String> {
    found.ok().flatten()?.name.clone()
}

pub(crate) fn of_raw(found: Result<Option<RawToken<Auth>>, AuthError>) -> Option<String> {
    found.ok().flatten().map(|raw| format!("raw:{}", raw.as_str()))
}

/// Uses every extractor and every method, in this order; `backwards` uses the opposite order.
async fn forwards(
    session: Result<Option<Session<Auth>>, AuthError>,
    token: Result<Option<Token<Auth>>, AuthError>,
    raw: Result<Option<RawToken<Auth>>, AuthError>,
    required: Result<Session<Auth>, AuthError>,
    needed: Result<Token<Auth>, AuthError>,
    State(auth): State<Auth>,
    headers: HeaderMap,
) -> Json<Who> {
    let mut who = vec![of_session(session), of_token(token), of_raw(raw)];
    who.extend([of_session(required.map(Some)), of_token(needed.map(Some))]);
    who.extend([of_session(auth.session(&headers).await), of_token(auth.token(&headers).await)]);
    who.push(of_raw(auth.raw_token(&headers)));
    Json(who.into_iter().flatten().collect())
}

async fn backwards(
    raw: Result<RawToken<Auth>, AuthError>,
    token: Result<Token<Auth>, AuthError>,
    session: Result<Session<Auth>, AuthError>,
) -> Json<Who> {
    let who = [of_raw(raw.map(Some)), of_token(token.map(Some)), of_session(session.map(Some))];
    Json(who.into_iter().flatten().collect())
}

/// Allows the other account, judged by the session.
struct BySession;
/// Allows the other account, judged by the token.
struct ByToken;
/// Allows if session and token belong to the same account.
struct Same;

impl Policy<Auth> for BySession {
    fn allow(session: &Session<Auth>, _: Option<&Token<Auth>>) -> bool {
        session.user.name.as_deref() == Some(OTHER)
    }
}

impl Policy<Auth> for ByToken {
    fn allow(_: &Session<Auth>, token: Option<&Token<Auth>>) -> bool {
        token.is_some_and(|token| token.name.as_deref() == Some(OTHER))
    }
}

impl Policy<Auth> for Same {
    fn allow(session: &Session<Auth>, token: Option<&Token<Auth>>) -> bool {
        token.is_none_or(|token| token.name == session.user.name)
    }
}

#[require_session(Auth, BySession)]
async fn by_session() -> Json<Who> {
    Json(vec![OTHER.to_owned()])
}

#[require_session(Auth, ByToken)]
async fn by_token(session: Session<Auth>) -> Json<Who> {
    Json(vec![OTHER.to_owned(), session.user.name.clone().unwrap_or_default()])
}

#[require_session(Auth, Same)]
async fn same(session: Session<Auth>) -> Json<Who> {
    Json(vec![session.user.name.clone().unwrap_or_default()])
}

#[require_session]
async fn guarded(raw: RawToken<Auth>, session: Option<Session<Auth>>) -> Json<Who> {
    Json([of_raw(Ok(Some(raw))), of_session(Ok(session))].into_iter().flatten().collect())
}

pub(crate) const PATHS: [&str; 8] = [
    "/forwards",
    "/backwards",
    "/by-session",
    "/by-token",
    "/same",
    "/guarded",
    "/group",
    "/api/auth/session",
];

pub(crate) async fn app(builder: Builder<Auth>) -> App {
    let auth = builder.build().unwrap();
    let group = Router::new().route("/group", get(backwards)).route_layer(auth.require_policy::<Same>());
    let router = Router::new()
        .route("/forwards", get(forwards))
        .route("/backwards", get(backwards))
        .route("/by-session", get(by_session))
        .route("/by-token", get(by_token))
        .route("/same", get(same))
        .route("/guarded", get(guarded))
        .merge(group);
    App::start(auth.attach(router).with_state(auth.clone())).await
}

/// Every way to send two tokens in one request, as header lines.
fn arrangements(one: &str, two: &str, prefixed: [&str; 2]) -> Vec<String> {
    let chunks = |name: &str, token: &str| {
        let (first, rest) = token.split_at(token.len() / 2);
        format!("{name}.0={first}; {name}.1={rest}")
    };
    let whole = |name: &str, token: &str| format!("{name}={token}");
    let damaged = two.replacen('.', "..", 1);
    let quote = |token: &str| format!("{COOKIE}=\"{token}\"");
    let mut all = Vec::new();
    for (a, b) in [(one, two), (two, one)] {
        let cookies = [
            format!("{}; {}", whole(COOKIE, a), whole(COOKIE, b)),
            format!("{}; {}", whole(COOKIE, a), chunks(COOKIE, b)),
            format!("{}; {}", chunks(COOKIE, b), whole(COOKIE, a)),
            format!("{}; {}", chunks(COOKIE, a), chunks(COOKIE, b)),
            format!("{}; {COOKIE}.0={b}", whole(COOKIE, a)),
            format!("{COOKIE}.0={b}; {}", whole(COOKIE, a)),
            format!("{COOKIE}.0={a}; {COOKIE}.0={b}"),
            format!("{COOKIE}.0={a}; {COOKIE}.1={b}"),
            format!("{COOKIE}.1={a}; {}", whole(COOKIE, b)),
            format!("{COOKIE}=; {}; {}", whole(COOKIE, a), chunks(COOKIE, b)),
            format!("{}; {}", whole(COOKIE, &damaged), whole(COOKIE, a)),
            format!("{}; {}", whole(COOKIE, &damaged), chunks(COOKIE, a)),
            format!("{}; {}", quote(a), whole(COOKIE, b)),
            format!("{}\r\nCookie: {}", whole(COOKIE, a), whole(COOKIE, b)),
            format!("{}\r\nCookie: {}", chunks(COOKIE, a), whole(COOKIE, b)),
        ];
        for cookie in cookies {
            all.push(format!("Cookie: {cookie}\r\n"));
            all.push(format!("Cookie: {cookie}\r\nAuthorization: Bearer {b}\r\n"));
        }
        all.push(format!("Cookie: {}\r\nAuthorization: Bearer {b}\r\n", whole(COOKIE, a)));
        all.push(format!("Authorization: Bearer {a}\r\nAuthorization: Bearer {b}\r\n"));
        all.push(format!("Authorization: Bearer {b}\r\nCookie: {COOKIE}=x\r\n"));
        // Auth.js reads every cookie whose name starts with the cookie name.
        for odd in [".1", ".01", ".x", "x", "-2"] {
            all.push(format!("Cookie: {COOKIE}{odd}={a}\r\nAuthorization: Bearer {b}\r\n"));
            all.push(format!("Cookie: {COOKIE}{odd}={a}; {COOKIE}={b}\r\n"));
        }
        // Two cookie names, since no `kind` fixes one. Each token is sealed for its own name.
        for (secure, plain) in [(prefixed[0], b), (prefixed[1], a), (a, b)] {
            all.push(format!("Cookie: {}; {}\r\n", whole(SECURE, secure), whole(COOKIE, plain)));
            all.push(format!("Cookie: {}; {}\r\n", whole(COOKIE, plain), whole(SECURE, secure)));
            all.push(format!("Cookie: {}; {}\r\n", chunks(SECURE, secure), whole(COOKIE, plain)));
        }
    }
    all
}

/// The header lines with long tokens shortened, for failure messages.
fn shortened(line: &str) -> String {
    let words = line.split_inclusive(['=', ';', ' ', '\n']);
    words.map(|word| if word.len() > 60 { format!("{}..", &word[..60]) } else { word.to_owned() }).collect()
}

/// Sends every line to every path. Returns how many accounts were named, and each line for which two parts of the app
/// named different accounts.
pub(crate) async fn attack(
    app: &App,
    lines: &[String],
    paths: &[&str],
    own: &[String],
    other: &[String],
    more: &str,
) -> (usize, Vec<String>) {
    let (mut told, mut torn) = (0, Vec::new());
    for line in lines {
        let mut all: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for path in paths {
            let request =
                format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{more}{line}\r\n");
            let answer = app.raw(&request).await;
            let (status, _) = read(&answer);
            let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
            if status == 403 && !path.starts_with("/by-") {
                torn.push(format!(
                    "{path} was given a session and a token of different accounts: {}",
                    shortened(line)
                ));
            }
            if status != 200 {
                continue;
            }
            let names: Vec<String> = match *path {
                "/api/auth/session" => {
                    // The body may be chunked; the name is never split.
                    [OWN, OTHER]
                        .iter()
                        .filter(|name| body.contains(**name))
                        .map(|name| (*name).to_owned())
                        .collect()
                }
                _ => serde_json::from_str(&body[body.find('[').unwrap()..=body.rfind(']').unwrap()]).unwrap(),
            };
            for name in names {
                told += 1;
                let account = match name.strip_prefix("raw:") {
                    Some(raw) if own.iter().any(|own| own == raw) => OWN.to_owned(),
                    // A damaged or joined token belongs to no account.
                    Some(raw) if !other.iter().any(|other| other == raw) => continue,
                    Some(_) => OTHER.to_owned(),
                    None => name,
                };
                all.entry(account).or_default().insert(path);
            }
        }
        if all.len() > 1 {
            torn.push(format!("{all:?} of {}", shortened(line)));
        }
    }
    (told, torn)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_tokens_never_mix_accounts() {
    let (mut requests, mut accounts, mut torn) = (0, 0, Vec::new());
    for (strategy, secret, source, name) in [
        (SessionStrategy::Jwt, false, SessionSource::Upstream, COOKIE),
        (SessionStrategy::Jwt, true, SessionSource::Upstream, COOKIE),
        (SessionStrategy::Jwt, true, SessionSource::Local, COOKIE),
        (SessionStrategy::Jwt, true, SessionSource::Upstream, SECURE),
        (SessionStrategy::Database, false, SessionSource::Upstream, COOKIE),
    ] {
        for revoked in [false, true] {
            for proxied in [false, true] {
                let upstream = Upstream::new(name, strategy);
                let server = upstream.start().await;
                let mut builder = auth(&server, strategy).session_source(source);
                if secret {
                    builder = builder.upstream_secret([SECRET]);
                }
                if proxied {
                    builder = builder.trusted_proxies(["127.0.0.1"]);
                }
                let app = app(builder).await;
                let (own, other) = (upstream.issue(OWN), upstream.issue(OTHER));
                let prefixed = match strategy {
                    SessionStrategy::Jwt => [seal(OWN, SECURE), seal(OTHER, SECURE)],
                    _ => [upstream.issue(OWN), upstream.issue(OTHER)],
                };
                upstream.accept(&prefixed[0], OWN);
                upstream.accept(&prefixed[1], OTHER);
                if revoked {
                    upstream.end(&other);
                    upstream.end(&prefixed[1]);
                }
                let lines = arrangements(&own, &other, [&prefixed[0], &prefixed[1]]);
                let scheme = if name == SECURE && proxied { "X-Forwarded-Proto: https\r\n" } else { "" };
                let (told, wrong) = attack(
                    &app,
                    &lines,
                    &PATHS,
                    &[own, prefixed[0].clone()],
                    &[other, prefixed[1].clone()],
                    scheme,
                )
                .await;
                requests += lines.len() * PATHS.len();
                accounts += told;
                let setting = format!(
                    "{strategy:?}, secret {secret}, {source:?}, {name}, revoked {revoked}, trusted {proxied}"
                );
                torn.extend(wrong.into_iter().map(|wrong| format!("{setting}: {wrong}")));
            }
        }
    }
    println!(
        "two tokens: {} of {requests} requests mixed accounts; accounts were named {accounts} times",
        torn.len()
    );
    assert!(torn.is_empty(), "{}", first(&torn));
    assert!(accounts > 1000, "too few requests were accepted: {accounts}");
}
