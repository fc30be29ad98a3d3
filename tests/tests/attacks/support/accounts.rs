//! An app whose extractors, guards and methods each name the account of the request, and an attack that reports
//! requests for which they name different accounts.

use std::collections::{BTreeMap, BTreeSet};

use auth_proxy::{AuthError, Policy, RawToken, Session, Token, options::Builder, require_session};
use auth_proxy_tests::App;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::get;
use axum::{Json, Router};

use super::{Auth, read};

pub(crate) const OWN: &str = "mallory";
pub(crate) const OTHER: &str = "admin";

/// The accounts that a response names: a user name, or `raw:` and the token.
pub(crate) type Accounts = Vec<String>;

pub(crate) fn session_account(found: Result<Option<Session<Auth>>, AuthError>) -> Option<String> {
    found.ok().flatten()?.user.name.clone()
}

pub(crate) fn token_account(found: Result<Option<Token<Auth>>, AuthError>) -> Option<String> {
    found.ok().flatten()?.name.clone()
}

pub(crate) fn raw_token(found: Result<Option<RawToken<Auth>>, AuthError>) -> Option<String> {
    found.ok().flatten().map(|raw| format!("raw:{}", raw.as_str()))
}

/// Uses the extractors in this order, then every method. `backwards` uses the opposite order.
async fn forwards(
    session: Result<Option<Session<Auth>>, AuthError>,
    token: Result<Option<Token<Auth>>, AuthError>,
    raw: Result<Option<RawToken<Auth>>, AuthError>,
    required: Result<Session<Auth>, AuthError>,
    needed: Result<Token<Auth>, AuthError>,
    State(auth): State<Auth>,
    headers: HeaderMap,
) -> Json<Accounts> {
    let mut accounts = vec![session_account(session), token_account(token), raw_token(raw)];
    accounts.extend([session_account(required.map(Some)), token_account(needed.map(Some))]);
    accounts
        .extend([session_account(auth.session(&headers).await), token_account(auth.token(&headers).await)]);
    accounts.push(raw_token(auth.raw_token(&headers)));
    Json(accounts.into_iter().flatten().collect())
}

async fn backwards(
    raw: Result<RawToken<Auth>, AuthError>,
    token: Result<Token<Auth>, AuthError>,
    session: Result<Session<Auth>, AuthError>,
) -> Json<Accounts> {
    let accounts =
        [raw_token(raw.map(Some)), token_account(token.map(Some)), session_account(session.map(Some))];
    Json(accounts.into_iter().flatten().collect())
}

/// Allows the account [`OTHER`], if the session names it.
struct BySession;
/// Allows the account [`OTHER`], if the token names it.
struct ByToken;
/// Allows a session and a token of the same account.
struct SameAccount;

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

impl Policy<Auth> for SameAccount {
    fn allow(session: &Session<Auth>, token: Option<&Token<Auth>>) -> bool {
        token.is_none_or(|token| token.name == session.user.name)
    }
}

#[require_session(Auth, BySession)]
async fn by_session() -> Json<Accounts> {
    Json(vec![OTHER.to_owned()])
}

#[require_session(Auth, ByToken)]
async fn by_token(session: Session<Auth>) -> Json<Accounts> {
    Json(vec![OTHER.to_owned(), session.user.name.clone().unwrap_or_default()])
}

#[require_session(Auth, SameAccount)]
async fn same_account(session: Session<Auth>) -> Json<Accounts> {
    Json(vec![session.user.name.clone().unwrap_or_default()])
}

#[require_session]
async fn guarded(raw: RawToken<Auth>, session: Option<Session<Auth>>) -> Json<Accounts> {
    Json([raw_token(Ok(Some(raw))), session_account(Ok(session))].into_iter().flatten().collect())
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
    let group =
        Router::new().route("/group", get(backwards)).route_layer(auth.require_policy::<SameAccount>());
    let router = Router::new()
        .route("/forwards", get(forwards))
        .route("/backwards", get(backwards))
        .route("/by-session", get(by_session))
        .route("/by-token", get(by_token))
        .route("/same", get(same_account))
        .route("/guarded", get(guarded))
        .merge(group);
    App::start(auth.attach(router).with_state(auth.clone())).await
}

/// Header lines for failure messages, with long tokens cut.
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
    let (mut named, mut mixed) = (0, Vec::new());
    for line in lines {
        let mut all: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for path in paths {
            let request =
                format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{more}{line}\r\n");
            let answer = app.raw(&request).await;
            let (status, _) = read(&answer);
            let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
            if status == 403 && !path.starts_with("/by-") {
                mixed.push(format!(
                    "{path} got a session and a token of different accounts: {}",
                    shortened(line)
                ));
            }
            if status != 200 {
                continue;
            }
            let names: Vec<String> = match *path {
                "/api/auth/session" => {
                    // The body may have `chunked` framing, which never splits the name.
                    [OWN, OTHER]
                        .iter()
                        .filter(|name| body.contains(**name))
                        .map(|name| (*name).to_owned())
                        .collect()
                }
                _ => serde_json::from_str(&body[body.find('[').unwrap()..=body.rfind(']').unwrap()]).unwrap(),
            };
            for name in names {
                named += 1;
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
            mixed.push(format!("{all:?} of {}", shortened(line)));
        }
    }
    (named, mixed)
}
