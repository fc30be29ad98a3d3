//! Point 2: one account's session together with another's token, by sending two.

use std::collections::{BTreeMap, BTreeSet};

use auth_proxy::{
    AuthError, Builder, Kind, Policy, RawToken, Session, Source, Strategy, Token, require_session,
};
use auth_proxy_tests::{App, loopback_client};
use axum::extract::{FromRequestParts, State};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::routing::get;
use axum::{Json, Router};

use crate::support::{Auth, COOKIE, SECRET, SECURE, Upstream, auth, read, seal};

const OWN: &str = "mallory";
const OTHER: &str = "admin";

/// Who something says is there: `raw:` and the token, or a name.
type Who = Vec<String>;

fn of_session(found: Result<Option<Session<Auth>>, AuthError>) -> Option<String> {
    found.ok().flatten()?.user.name.clone()
}

fn of_token(found: Result<Option<Token<Auth>>, AuthError>) -> Option<String> {
    found.ok().flatten()?.name.clone()
}

fn of_raw(found: Result<Option<RawToken<Auth>>, AuthError>) -> Option<String> {
    found.ok().flatten().map(|raw| format!("raw:{}", raw.as_str()))
}

/// Everything that a handler can ask, in this order and, by `backwards`, in the other.
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

/// By the session, and by the token.
struct BySession;
struct ByToken;
/// Whether both are of one account.
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

const PATHS: [&str; 8] = [
    "/forwards",
    "/backwards",
    "/by-session",
    "/by-token",
    "/same",
    "/guarded",
    "/group",
    "/api/auth/session",
];

async fn app(builder: Builder<Auth>) -> App {
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

/// Every way to send two tokens, as header lines.
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
        // Two names, where no kind says which; each of the tokens is sealed for its own.
        for (secure, plain) in [(prefixed[0], b), (prefixed[1], a), (a, b)] {
            all.push(format!("Cookie: {}; {}\r\n", whole(SECURE, secure), whole(COOKIE, plain)));
            all.push(format!("Cookie: {}; {}\r\n", whole(COOKIE, plain), whole(SECURE, secure)));
            all.push(format!("Cookie: {}; {}\r\n", chunks(SECURE, secure), whole(COOKIE, plain)));
        }
    }
    all
}

/// A request with its tokens cut short.
fn shortened(line: &str) -> String {
    let words = line.split_inclusive(['=', ';', ' ', '\n']);
    words.map(|word| if word.len() > 60 { format!("{}..", &word[..60]) } else { word.to_owned() }).collect()
}

/// Goes through every path with every arrangement. Answers how many accounts were told, and every request after which two
/// parts of the app spoke of two.
async fn attack(
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
                torn.push(format!("{path} refuses a session and a token that differ: {}", shortened(line)));
            }
            if status != 200 {
                continue;
            }
            let names: Vec<String> = match *path {
                "/api/auth/session" => {
                    // Chunked or not, the name is in it.
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
                    // Of a damaged or a joined one, nobody's.
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
async fn two_tokens_are_never_two_accounts_at_once() {
    let (mut requests, mut accounts, mut torn) = (0, 0, Vec::new());
    for (strategy, secret, source, name) in [
        (Strategy::Jwt, false, Source::Upstream, COOKIE),
        (Strategy::Jwt, true, Source::Upstream, COOKIE),
        (Strategy::Jwt, true, Source::Local, COOKIE),
        (Strategy::Jwt, true, Source::Upstream, SECURE),
        (Strategy::Database, false, Source::Upstream, COOKIE),
    ] {
        for revoked in [false, true] {
            for proxied in [false, true] {
                let upstream = Upstream::new(name, strategy);
                let server = upstream.start().await;
                let mut builder = auth(&server, strategy).session_source(source);
                if secret {
                    builder = builder.secrets([SECRET]);
                }
                if proxied {
                    builder = builder.trusted_proxies(["127.0.0.1"]);
                }
                let app = app(builder).await;
                let (own, other) = (upstream.issue(OWN), upstream.issue(OTHER));
                let prefixed = match strategy {
                    Strategy::Jwt => [seal(OWN, SECURE), seal(OTHER, SECURE)],
                    Strategy::Database => [upstream.issue(OWN), upstream.issue(OTHER)],
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
        "two tokens: {} of {requests} requests mixed accounts; {accounts} times an account was told",
        torn.len()
    );
    assert!(torn.is_empty(), "{}", torn.join("\n"));
    assert!(accounts > 1000);
}

/// A trusted proxy tells the scheme, and Auth.js has a cookie for each. What a handler looks up by the headers alone is
/// what its extractors have found.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_scheme_of_a_request_makes_no_second_account() {
    let (mut requests, mut torn) = (0, Vec::new());
    for (kind, source) in [
        (None, Source::Upstream),
        (Some(Kind::Authjs), Source::Upstream),
        (None, Source::Local),
        (Some(Kind::Authjs), Source::Local),
    ] {
        for (seen_before, scheme) in [("", "http"), ("https", "http"), ("http", "https"), ("", "https")] {
            let upstream = Upstream::by_scheme(Strategy::Jwt);
            let server = upstream.start().await;
            let mut builder = auth(&server, Strategy::Jwt).session_source(source).secrets([SECRET]);
            if let Some(kind) = kind {
                builder = builder.kind(kind);
            }
            let app = app(builder.trusted_proxies(["127.0.0.1"])).await;
            let own = [seal(OWN, COOKIE), seal(OWN, SECURE)];
            let other = [seal(OTHER, COOKIE), seal(OTHER, SECURE)];
            own.iter().for_each(|token| upstream.accept(token, OWN));
            if !seen_before.is_empty() {
                let head = format!(
                    "X-Forwarded-Proto: {seen_before}\r\nCookie: {COOKIE}={}; {SECURE}={}\r\n",
                    own[0], own[1]
                );
                assert_eq!(app.raw_get("/api/auth/session", &head).await.0, 200);
            }
            // The revoked token is under the name of the other scheme.
            let lines = [
                format!("Cookie: {SECURE}={}; {COOKIE}={}\r\n", other[1], own[0]),
                format!("Cookie: {COOKIE}={}; {SECURE}={}\r\n", own[0], other[1]),
                format!("Cookie: {SECURE}={}; {COOKIE}={}\r\n", own[1], other[0]),
                format!("Cookie: {COOKIE}={}; {SECURE}={}\r\n", other[0], own[1]),
            ];
            let told = format!("X-Forwarded-Proto: {scheme}\r\n");
            let (_, wrong) = attack(&app, &lines, &PATHS[..6], &own, &other, &told).await;
            requests += lines.len() * 6;
            let setting = format!("{kind:?}, {source:?}, {scheme}, seen before {seen_before:?}");
            torn.extend(wrong.into_iter().map(|wrong| format!("{setting}: {wrong}")));
        }
    }
    println!(
        "two tokens: {} of {requests} requests mixed accounts under the names of two schemes",
        torn.len()
    );
    assert!(torn.is_empty(), "{}", torn.join("\n"));
}

/// An await between two extractors, in which the app learns from another visitor which name the upstream uses.
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
) -> Json<Who> {
    let who = [of_raw(raw.map(Some)), of_session(session.map(Some)), of_token(token.map(Some))];
    Json(who.into_iter().flatten().collect())
}

#[tokio::test]
async fn a_name_that_is_learned_within_a_request_makes_no_second_account() {
    let (mut requests, mut torn) = (0, Vec::new());
    for name in [COOKIE, SECURE] {
        for (at_secure, at_plain) in [(OWN, OTHER), (OTHER, OWN)] {
            let upstream = Upstream::new(name, Strategy::Jwt);
            let server = upstream.start().await;
            let auth = auth(&server, Strategy::Jwt).secrets([SECRET]).build().unwrap();
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
                "X-Meanwhile: {}\r\nX-Visitor: {visitor}\r\nCookie: {SECURE}={}; {COOKIE}={}\r\n",
                app.url("/api/auth/session"),
                tokens[0],
                tokens[1]
            );
            let (_, wrong) = attack(&app, &[line], &["/interrupted"], &[own], &[other], "").await;
            requests += 1;
            torn.extend(wrong);
        }
    }
    println!(
        "two tokens: {} of {requests} requests mixed accounts when a name was learned meanwhile",
        torn.len()
    );
    assert!(torn.is_empty(), "{}", torn.join("\n"));
}
