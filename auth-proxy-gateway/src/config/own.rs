//! The options of the gateway itself, besides those of an `auth_proxy!` block.

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::time::Duration;

use auth_proxy::verdict::{IdentityHeader, IdentityToken, PathRules, SigningKey};
use auth_proxy_rules::BaseUrl;
use toml::Spanned;
use toml::de::DeValue;
use tracing_subscriber::filter::Targets;

use super::reader::{Reader, Table, Value};
use super::{Places, rules};
use crate::gateway::Gateway;

/// `[app]`: the app that requests are forwarded to. The library has the defaults.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct App {
    /// An origin or a Unix socket.
    pub(crate) url: BaseUrl,
    /// The place of the table.
    pub(crate) span: Range<usize>,
    pub(crate) url_span: Range<usize>,
    /// Whether the app sees the `Host` of the browser, or that of `url`.
    pub(crate) preserves_host: Option<bool>,
    pub(crate) connect_timeout: Option<Duration>,
    /// The longest wait for the head of a response.
    pub(crate) timeout: Option<Duration>,
    /// The longest pause within the body of a response.
    pub(crate) idle_timeout: Option<Duration>,
    /// Whether the app gets the session cookies.
    pub(crate) passes_session: Option<bool>,
}

/// `[verdict]`: the decision about requests, and what the app is told.
#[derive(Clone, Debug)]
pub(crate) struct VerdictOptions {
    /// The path of the endpoint, and its place.
    pub(crate) path: Option<(String, Range<usize>)>,
    pub(crate) headers: Option<Vec<IdentityHeader>>,
    /// Whether writes of pages of other origins are refused.
    pub(crate) refuses_cross_origin: bool,
    /// The signed token that names the visitor to the app.
    pub(crate) token: Option<IdentityToken>,
}

/// `[server]`: limits of the listeners.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Server {
    /// How long requests that are under way may go on after a signal to stop.
    pub(crate) shutdown_timeout: Duration,
    /// How long the head of a request may take.
    pub(crate) header_timeout: Duration,
    /// The longest pause within the body of a request.
    pub(crate) body_timeout: Duration,
    /// The longest time in which a client reads nothing of a response.
    pub(crate) write_timeout: Duration,
    pub(crate) max_connections: usize,
}

/// `[log]`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Log {
    pub(crate) is_json: bool,
    pub(crate) level: Targets,
    /// Whether each request is logged.
    pub(crate) requests: bool,
}

/// The options of the gateway itself.
pub(crate) struct Own {
    /// `None` after a mistake.
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) admin_listen: Option<SocketAddr>,
    pub(crate) app: Option<App>,
    pub(crate) rules: PathRules<Gateway>,
    pub(crate) verdict: VerdictOptions,
    pub(crate) server: Server,
    pub(crate) log: Log,
}

/// Takes the options of the gateway itself from the top level. `places` gets those of options that a reload cannot change.
pub(crate) fn read(reader: &mut Reader<'_>, top: &mut Table<'_, '_>, places: &mut Places) -> Own {
    let mut take = |key: &'static str, fixed: &'static str| {
        let value = top.take(key);
        places.extend(value.map(|value| (fixed, value.span())));
        value
    };
    let (listen_value, admin_value) = (take("listen", "listen"), take("admin_listen", "admin_listen"));
    let server_value = take("server", "server.max_connections");
    let log_value = take("log", "log.format");
    let (listen, admin_listen) = (address(reader, listen_value), address(reader, admin_value));
    if listen_value.is_none() {
        reader.missing(0..0, "`listen` is missing: write `listen = \"127.0.0.1:8080\"`");
    }
    if let (Some(listen), Some(admin), Some(value)) = (listen, admin_listen, admin_value)
        && listen == admin
        && listen.port() != 0
    {
        reader.add(value.span(), "this is the address of `listen`, which visitors reach: write another port");
    }
    Own {
        listen,
        admin_listen,
        app: app(reader, top.take("app")),
        rules: rules::read(reader, top.take("rules")),
        verdict: verdict(reader, top.take("verdict")),
        server: server(reader, server_value),
        log: log(reader, log_value),
    }
}

/// An address to listen on.
fn address(reader: &mut Reader<'_>, value: Option<&Value<'_>>) -> Option<SocketAddr> {
    let expected = "an address with a port, such as `\"127.0.0.1:8080\"` or `\"[::]:8080\"`";
    reader.parsed(value, expected, |text| {
        text.parse().map_err(|_| match text.rsplit_once(':') {
            Some(("localhost", port)) if port.parse::<u16>().is_ok() => {
                format!("`localhost` may be several addresses: write `\"127.0.0.1:{port}\"`")
            }
            _ => format!("expected {expected}"),
        })
    })
}

/// Whether a URL leads to a listener of this process, as far as that shows without a name server.
pub(crate) fn leads_to(url: &str, listener: SocketAddr) -> bool {
    let Ok(url) = url.parse::<http::Uri>() else { return false };
    let port = url.port_u16().unwrap_or(if url.scheme_str() == Some("https") { 443 } else { 80 });
    let host = url.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let is_this_machine = |ip: IpAddr| ip.is_loopback() || ip.is_unspecified();
    let is_host = match host.parse::<IpAddr>() {
        Ok(ip) => ip == listener.ip() || (is_this_machine(ip) && listener.ip().is_unspecified()),
        Err(_) => host == "localhost" && is_this_machine(listener.ip()),
    };
    is_host && port == listener.port() && port != 0
}

fn app(reader: &mut Reader<'_>, value: Option<&Value<'_>>) -> Option<App> {
    let span = value.map(Spanned::span);
    let mut table = reader.table("app", value)?;
    let seconds = Duration::from_secs;
    let url_value = table.take("url");
    let url = reader.parsed(url_value, "`url = \"http://127.0.0.1:3000\"`", |text| {
        auth_proxy_rules::app_url(text).map_err(|error| {
            let is_socket = text.starts_with('/') || text.to_ascii_lowercase().starts_with("unix:");
            match text.contains("://") || is_socket {
                true => format!("`app.url`: {}", error.message()),
                false => {
                    "`app.url`: the scheme is missing: write `url = \"http://127.0.0.1:3000\"`".to_owned()
                }
            }
        })
    });
    if url_value.is_none() {
        reader.missing(
            span.clone().unwrap_or(0..0),
            "`app.url` is missing: write `url = \"http://127.0.0.1:3000\"` in `[app]`",
        );
    }
    let preserves_host = reader.word(table.take("host"), &[("preserve", true), ("app", false)]);
    let connect_timeout =
        reader.duration(table.take("connect_timeout"), Duration::from_millis(10), seconds(600));
    let timeout = reader.duration(table.take("timeout"), Duration::from_millis(10), seconds(3600));
    let idle_timeout =
        reader.duration(table.take("idle_timeout"), Duration::from_millis(10), seconds(24 * 3600));
    let passes_session = reader.boolean(table.take("pass_session"));
    reader.unknown(table);
    Some(App {
        url: url?,
        span: span?,
        url_span: url_value?.span(),
        preserves_host,
        connect_timeout,
        timeout,
        idle_timeout,
        passes_session,
    })
}

fn verdict(reader: &mut Reader<'_>, value: Option<&Value<'_>>) -> VerdictOptions {
    let mut table = reader.table("verdict", value).unwrap_or_else(|| Table::empty("verdict"));
    let path_value = table.take("path");
    let path = reader.parsed(path_value, "`path = \"/_auth/verdict\"`", |text| {
        auth_proxy_rules::path(text).map_err(|error| error.message().to_owned())
    });
    let headers = table.take("headers").map(|value| identity_headers(reader, value));
    let refuses_cross_origin = reader.boolean(table.take("refuse_cross_origin"));
    let token = token(reader, &mut table);
    reader.unknown(table);
    VerdictOptions {
        path: path.zip(path_value.map(Spanned::span)),
        headers,
        refuses_cross_origin: refuses_cross_origin.unwrap_or(true),
        token,
    }
}

/// The options of the signed token. `token_key` is a key in PEM, or a list of them: the first signs, and all are published.
fn token(reader: &mut Reader<'_>, table: &mut Table<'_, '_>) -> Option<IdentityToken> {
    let expected = "`token_key = \"file:/run/secrets/identity-key.pem\"`";
    let [keys, issuer, audience, lifetime] =
        ["token_key", "token_issuer", "token_audience", "token_lifetime"].map(|key| table.take(key));
    let Some(keys) = keys else {
        for value in [issuer, audience, lifetime].into_iter().flatten() {
            reader.add(
                value.span(),
                format!("this has no effect without a key: write {expected}, or remove it"),
            );
        }
        return None;
    };
    let mut text = |value: Option<&Value<'_>>, key: &str, example: &str| {
        if value.is_none() {
            let message = format!(
                "`{key}` is missing, which a token needs: write `{key} = \"{example}\"` in `[verdict]`"
            );
            reader.missing(keys.span(), message);
        }
        reader.parsed(value, &format!("`{key} = \"{example}\"`"), |text| match text {
            "" => Err(format!("expected `{key} = \"{example}\"`")),
            text => Ok(text.to_owned()),
        })
    };
    let issuer = text(issuer, "token_issuer", "https://app.example.com");
    let audience = text(audience, "token_audience", "my-app");
    let lifetime = lifetime.and_then(|value| {
        let lifetime = reader.duration(Some(value), Duration::from_millis(1), Duration::from_secs(3600))?;
        Some((lifetime, value.span()))
    });
    let one = std::slice::from_ref(keys);
    let values: Vec<&Value<'_>> = match keys.get_ref() {
        DeValue::Array(list) => list.iter().collect(),
        _ => one.iter().collect(),
    };
    if values.is_empty() {
        reader.add(keys.span(), format!("the list is empty: write {expected}, or remove it"));
    }
    let count = values.len();
    let keys: Vec<SigningKey> =
        values.into_iter().filter_map(|value| signing_key(reader, value, expected)).collect();
    let (first, others) = keys.split_first().filter(|_| keys.len() == count)?;
    let token = IdentityToken::new(first.clone(), &issuer?, &audience?);
    let token = others.iter().cloned().fold(token, IdentityToken::publish);
    let Some((lifetime, span)) = lifetime else { return Some(token) };
    token.lifetime(lifetime).map_err(|error| reader.add(span, error.message())).ok()
}

fn signing_key(reader: &mut Reader<'_>, value: &Value<'_>, expected: &str) -> Option<SigningKey> {
    let text = reader.text(value, expected)?;
    if text.is_literal {
        reader.add(value.span(), format!("secrets do not belong in this file: write {expected}"));
        return None;
    }
    match SigningKey::from_pem(&text.value) {
        Ok(key) => Some(key),
        Err(error) => {
            reader.add(value.span(), error.message());
            None
        }
    }
}

/// The words of `verdict.headers`.
const HEADERS: [(&str, IdentityHeader); 4] = [
    ("subject", IdentityHeader::Subject),
    ("name", IdentityHeader::Name),
    ("email", IdentityHeader::Email),
    ("roles", IdentityHeader::Roles),
];

fn identity_headers(reader: &mut Reader<'_>, value: &Value<'_>) -> Vec<IdentityHeader> {
    let Some(items) = reader.items(value, "`headers = [\"subject\", \"email\"]`") else { return Vec::new() };
    let mut headers = Vec::new();
    for (item, span) in items {
        match HEADERS.iter().find(|(word, _)| *word == item.value.as_str()) {
            Some((_, header)) => headers.push(*header),
            None => {
                let words = HEADERS.map(|(word, _)| format!("`\"{word}\"`")).join(" or ");
                reader.add(span, format!("expected {words}"));
            }
        }
    }
    headers
}

fn server(reader: &mut Reader<'_>, value: Option<&Value<'_>>) -> Server {
    let seconds = Duration::from_secs;
    let mut table = reader.table("server", value).unwrap_or_else(|| Table::empty("server"));
    let mut duration = |key, default: u64, to: u64| {
        let value = table.take(key);
        reader.duration(value, Duration::from_millis(10), seconds(to)).unwrap_or(seconds(default))
    };
    let shutdown_timeout = duration("shutdown_timeout", 30, 3600);
    let header_timeout = duration("header_timeout", 15, 600);
    let body_timeout = duration("body_timeout", 60, 3600);
    let write_timeout = duration("write_timeout", 60, 3600);
    let max_connections = reader.count(table.take("max_connections"), 1, 1_000_000).unwrap_or(10_000);
    reader.unknown(table);
    Server { shutdown_timeout, header_timeout, body_timeout, write_timeout, max_connections }
}

fn log(reader: &mut Reader<'_>, value: Option<&Value<'_>>) -> Log {
    let mut table = reader.table("log", value).unwrap_or_else(|| Table::empty("log"));
    let is_json = reader.word(table.take("format"), &[("text", false), ("json", true)]);
    let level = reader.parsed(table.take("level"), "a level such as `\"info\"`", |text| {
        text.parse::<Targets>().map_err(|_| {
            "expected `\"error\"`, `\"warn\"`, `\"info\"`, `\"debug\"` or `\"trace\"`, also for a part, as in \
             `\"info,auth_proxy=debug\"`"
                .to_owned()
        })
    });
    let requests = reader.boolean(table.take("requests"));
    reader.unknown(table);
    Log {
        is_json: is_json.unwrap_or(false),
        level: level.unwrap_or_else(|| Targets::new().with_default(tracing::Level::INFO)),
        requests: requests.unwrap_or(true),
    }
}
