//! The command line.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use auth_proxy::options::{SessionStrategy, UpstreamKind};
use http::Uri;
use lexopt::prelude::*;
use serde_json::{Map, Value};

pub const USAGE: &str = r#"A fake login server, for the tests of an app.

fake-upstream [OPTIONS]          starts the server, and prints what the app needs
fake-upstream cookie [OPTIONS]   prints a visitor's session cookie, as the `storageState` of Playwright

Both:
  --kind KIND            authjs (default), robo, next_auth_v4 or better_auth
  --secret TEXT          the secret of session tokens
  --cookie-name NAME     the name of the session cookie, if it is not the usual one
  --claims JSON          the visitor of the cookie, such as '{"sub":"1","name":"Ada","role":"admin"}'
  --app URL              the app that the browser visits; default http://127.0.0.1:3000

The server:
  --host ADDRESS         default 127.0.0.1
  --port PORT            default 3001; 0 is any free port
  --user USER            who may sign in: LOGIN:PASSWORD, or LOGIN:PASSWORD:CLAIMS with JSON. May be repeated;
                         default demo:demo
  --session-claim NAME   a claim that the session shows, such as role. May be repeated
  --strategy STRATEGY    jwt (default) or database
  --trusted-origin URL   an origin that better_auth accepts requests from. May be repeated
  --storage-state FILE   writes the cookie of the visitor `--claims` to a file, once the server listens
"#;

/// What was asked for.
pub struct Arguments {
    pub command: Command,
    pub kind: UpstreamKind,
    pub strategy: SessionStrategy,
    pub secret: Option<String>,
    pub cookie_name: Option<String>,
    pub address: SocketAddr,
    pub users: Vec<User>,
    pub session_claims: Vec<String>,
    pub trusted_origins: Vec<String>,
    pub claims: Option<Map<String, Value>>,
    pub app: Uri,
    pub storage_state: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Command {
    Help,
    Serve,
    Cookie,
}

/// Somebody who may sign in.
pub struct User {
    pub login: String,
    pub password: String,
    pub claims: Map<String, Value>,
}

impl Arguments {
    pub fn parse(mut parser: lexopt::Parser) -> Result<Self, String> {
        let mut found = Self {
            command: Command::Serve,
            kind: UpstreamKind::Authjs,
            strategy: SessionStrategy::Jwt,
            secret: None,
            cookie_name: None,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 3001)),
            users: Vec::new(),
            session_claims: Vec::new(),
            trusted_origins: Vec::new(),
            claims: None,
            app: Uri::from_static("http://127.0.0.1:3000"),
            storage_state: None,
        };
        while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
            let option = match &argument {
                Short('h') | Long("help") => {
                    found.command = Command::Help;
                    return Ok(found);
                }
                Value(word) if word == "cookie" => {
                    found.command = Command::Cookie;
                    continue;
                }
                Long(option) => (*option).to_owned(),
                _ => return Err(argument.unexpected().to_string()),
            };
            // Before its value is read, so that the error names the option.
            if !USAGE.contains(&format!("--{option} ")) {
                return Err(argument.unexpected().to_string());
            }
            let value = parser.value().and_then(ValueExt::string).map_err(|error| error.to_string())?;
            found.set(&option, value).map_err(|wrong| format!("--{option}: {wrong}"))?;
        }
        found.check()
    }

    fn set(&mut self, option: &str, value: String) -> Result<(), String> {
        match option {
            "kind" => self.kind = kind(&value)?,
            "strategy" => {
                self.strategy = value.parse().map_err(|_| "write `jwt` or `database`".to_owned())?
            }
            "secret" => self.secret = Some(value),
            "cookie-name" => self.cookie_name = Some(value),
            "host" => {
                let host: IpAddr = value.parse().map_err(|_| format!("`{value}` is no IP address"))?;
                self.address.set_ip(host);
            }
            "port" => {
                self.address.set_port(value.parse().map_err(|_| format!("`{value}` is no port"))?);
            }
            "user" => self.users.push(user(&value)?),
            "session-claim" => self.session_claims.push(value),
            "trusted-origin" => self.trusted_origins.push(value),
            "claims" => self.claims = Some(claims(&value)?),
            "app" => self.app = app(&value)?,
            _ => self.storage_state = Some(value.into()),
        }
        Ok(())
    }

    fn check(self) -> Result<Self, String> {
        let is_stored = self.kind == UpstreamKind::BetterAuth || self.strategy == SessionStrategy::Database;
        if self.command == Command::Cookie && self.claims.is_none() {
            return Err("`cookie` needs a visitor: --claims '{\"sub\":\"1\",\"name\":\"Ada\"}'".to_owned());
        }
        if self.command == Command::Cookie && is_stored {
            return Err("only the server that made such a session knows it: start the server with --storage-state FILE \
                        and --claims JSON, in place of `cookie`"
                .to_owned());
        }
        if self.command == Command::Serve && self.storage_state.is_some() != self.claims.is_some() {
            return Err("--storage-state and --claims belong together".to_owned());
        }
        Ok(self)
    }
}

fn kind(text: &str) -> Result<UpstreamKind, String> {
    match text.parse() {
        Ok(UpstreamKind::Generic) | Err(_) => {
            Err("write `authjs`, `robo`, `next_auth_v4` or `better_auth`".to_owned())
        }
        Ok(kind) => Ok(kind),
    }
}

/// `LOGIN:PASSWORD` or `LOGIN:PASSWORD:CLAIMS`.
fn user(text: &str) -> Result<User, String> {
    let mut parts = text.splitn(3, ':');
    let (Some(login), Some(password)) = (parts.next(), parts.next()) else {
        return Err("write LOGIN:PASSWORD".to_owned());
    };
    let own = match parts.next() {
        Some(json) => claims(json)?,
        None => Map::from_iter([("sub".to_owned(), login.into()), ("name".to_owned(), login.into())]),
    };
    Ok(User { login: login.to_owned(), password: password.to_owned(), claims: own })
}

fn claims(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text)
        .map_err(|error| format!("no JSON object ({error}): write '{{\"sub\":\"1\",\"name\":\"Ada\"}}'"))
}

fn app(text: &str) -> Result<Uri, String> {
    let url: Option<Uri> = text.parse().ok();
    url.filter(|url| matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some())
        .ok_or_else(|| format!("`{text}` is no URL: write http://127.0.0.1:3000"))
}
