//! The URL of a store.
//!
//! Messages contain no part of the URL: in a URL with a mistake, any part may be the password.

use std::collections::HashSet;

use percent_encoding::percent_decode_str;
use redis::{
    Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, ProtocolVersion, RedisConnectionInfo,
    RedisResult, TlsCertificates,
};

use crate::error::InvalidUrl;

/// A parsed URL. It has no `Debug`, since it contains the password.
pub(crate) struct Target {
    pub(crate) kind: Kind,
    pub(crate) tls: bool,
    pub(crate) hosts: Vec<(String, u16)>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) database: i64,
    pub(crate) root_certificates: Option<Vec<u8>>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Single,
    Unix { path: String },
    Sentinel { service: String },
    Cluster,
}

const SCHEME: InvalidUrl = InvalidUrl(
    "the URL of Redis must start with redis://, rediss://, unix://, redis+sentinel://, rediss+sentinel://, \
     redis+cluster:// or rediss+cluster://: write for example redis://localhost:6379",
);
const QUERY: InvalidUrl =
    InvalidUrl("the URL of Redis must not contain `?` or `#`: in a password, write %3F and %23 instead");
const HOST: InvalidUrl = InvalidUrl(
    "the host in the URL of Redis is missing: write redis://host:6379. In a password, write %2F for `/`",
);
const PORT: InvalidUrl = InvalidUrl(
    "the port in the URL of Redis must be a number from 1 to 65535: write redis://host:6379. In a password, write %2F for \
     `/`, %3A for `:` and %40 for `@`",
);
const ONE_HOST: InvalidUrl = InvalidUrl(
    "the URL of Redis has several hosts: write redis+sentinel:// or redis+cluster://, or one host only",
);
const DATABASE: InvalidUrl =
    InvalidUrl("the database in the URL of Redis must be a number: write redis://host:6379/0");
const SERVICE: InvalidUrl = InvalidUrl(
    "the URL of the sentinels has no service name: write redis+sentinel://host:26379/mymaster or \
     redis+sentinel://host:26379/mymaster/0",
);
const TWICE: InvalidUrl =
    InvalidUrl("the URL names a sentinel twice: name each once, since more than half of them decide");
const CLUSTER_PATH: InvalidUrl =
    InvalidUrl("a Redis Cluster has one database: write redis+cluster://host:6379 without a path");
const SOCKET: InvalidUrl =
    InvalidUrl("the path of the socket is missing: write unix:///run/redis/redis.sock");
const ENCODING: InvalidUrl =
    InvalidUrl("the user or the password in the URL of Redis is not valid percent-encoding of UTF-8");

impl Target {
    pub(crate) fn parse(url: &str) -> Result<Self, InvalidUrl> {
        let (scheme, rest) = url.trim().split_once("://").ok_or(SCHEME)?;
        if rest.contains(['?', '#']) {
            return Err(QUERY);
        }
        let (tls, kind) = match scheme {
            "unix" | "redis+unix" => return Self::socket(rest),
            "redis" => (false, Kind::Single),
            "rediss" => (true, Kind::Single),
            "redis+sentinel" => (false, Kind::Sentinel { service: String::new() }),
            "rediss+sentinel" => (true, Kind::Sentinel { service: String::new() }),
            "redis+cluster" => (false, Kind::Cluster),
            "rediss+cluster" => (true, Kind::Cluster),
            _ => return Err(SCHEME),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let port = if matches!(kind, Kind::Sentinel { .. }) { 26379 } else { 6379 };
        let hosts = hosts.split(',').map(|host| host_and_port(host, port)).collect::<Result<Vec<_>, _>>()?;
        let (kind, database) = match kind {
            Kind::Single if hosts.len() > 1 => return Err(ONE_HOST),
            Kind::Cluster if !path.is_empty() => return Err(CLUSTER_PATH),
            Kind::Sentinel { .. } => {
                let (service, database) = path.split_once('/').unwrap_or((path, ""));
                let service = decoded(service)?.ok_or(SERVICE)?;
                let mut names = HashSet::new();
                // Most of the sentinels decide, so each may have one voice only.
                if !hosts.iter().all(|(host, port)| names.insert((host.to_ascii_lowercase(), *port))) {
                    return Err(TWICE);
                }
                (Kind::Sentinel { service }, database)
            }
            kind => (kind, path),
        };
        Ok(Self {
            kind,
            tls,
            hosts,
            user: decoded(user)?,
            password: decoded(password)?,
            database: if database.is_empty() { 0 } else { database_number(database)? },
            root_certificates: None,
        })
    }

    fn socket(path: &str) -> Result<Self, InvalidUrl> {
        let path = decoded(path)?.filter(|path| path.len() > 1 && path.starts_with('/')).ok_or(SOCKET)?;
        let kind = Kind::Unix { path };
        Ok(Self {
            kind,
            tls: false,
            hosts: Vec::new(),
            user: None,
            password: None,
            database: 0,
            root_certificates: None,
        })
    }

    /// The client of one server.
    pub(crate) fn client(&self, host: &str, port: u16) -> RedisResult<Client> {
        let mut settings =
            RedisConnectionInfo::default().set_protocol(ProtocolVersion::RESP3).set_db(self.database);
        if let Some(user) = &self.user {
            settings = settings.set_username(user);
        }
        if let Some(password) = &self.password {
            settings = settings.set_password(password);
        }
        self.with_tls(self.address(host, port).into_connection_info()?.set_redis_settings(settings))
    }

    /// The client of a sentinel. Often only the servers have a password.
    pub(crate) fn sentinel(&self, host: &str, port: u16, with_password: bool) -> RedisResult<Client> {
        let mut settings = RedisConnectionInfo::default();
        if let (true, Some(password)) = (with_password, &self.password) {
            settings = settings.set_password(password);
            if let Some(user) = &self.user {
                settings = settings.set_username(user);
            }
        }
        self.with_tls(self.address(host, port).into_connection_info()?.set_redis_settings(settings))
    }

    pub(crate) fn certificates(&self) -> TlsCertificates {
        TlsCertificates { client_tls: None, root_cert: self.root_certificates.clone() }
    }

    fn with_tls(&self, info: ConnectionInfo) -> RedisResult<Client> {
        if self.tls { Client::build_with_tls(info, self.certificates()) } else { Client::open(info) }
    }

    pub(crate) fn address(&self, host: &str, port: u16) -> ConnectionAddr {
        match &self.kind {
            Kind::Unix { path } => ConnectionAddr::Unix(path.into()),
            _ if self.tls => {
                ConnectionAddr::TcpTls { host: host.to_owned(), port, insecure: false, tls_params: None }
            }
            _ => ConnectionAddr::Tcp(host.to_owned(), port),
        }
    }
}

fn host_and_port(text: &str, default: u16) -> Result<(String, u16), InvalidUrl> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or(HOST)?;
            (host, port.strip_prefix(':'))
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    if host.is_empty() || host.contains(char::is_whitespace) {
        return Err(HOST);
    }
    let port = port.map_or(Ok(default), |port| port.parse().map_err(|_| PORT))?;
    if port == 0 { Err(PORT) } else { Ok((host.to_owned(), port)) }
}

fn database_number(text: &str) -> Result<i64, InvalidUrl> {
    text.parse::<u16>().map(i64::from).map_err(|_| DATABASE)
}

/// `None` for an empty text.
fn decoded(text: &str) -> Result<Option<String>, InvalidUrl> {
    let text = percent_decode_str(text).decode_utf8().map_err(|_| ENCODING)?;
    Ok(if text.is_empty() { None } else { Some(text.into_owned()) })
}
