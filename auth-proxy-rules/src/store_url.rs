//! [`StoreUrl`]: the address of the store that instances share. It may contain a password.

use std::fmt;

use zeroize::Zeroizing;

use crate::host::is_internal_host;
use crate::invalid_value::InvalidValue;

/// The address of the store that instances share.
///
/// It may contain a password: `Debug` does not show it, and its memory is overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreUrl(Zeroizing<String>);

impl StoreUrl {
    /// The URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a password is sent in the clear to a host that is not internal.
    pub(crate) fn exposes_password(&self) -> bool {
        let is_public = |host: &&str| !is_internal_host(host);
        Parts::of(&self.0)
            .is_ok_and(|parts| !parts.tls && parts.login.contains(':') && parts.hosts.iter().any(is_public))
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreUrl(..)")
    }
}

/// Checks the form of an address. The store checks the percent-encoding.
///
/// # Errors
/// Names the mistake, and does not show the address: in an address with a mistake, any part may be the password.
pub(crate) fn store_url(text: String) -> Result<StoreUrl, InvalidValue> {
    let text = Zeroizing::new(text);
    Parts::of(&text)?;
    Ok(StoreUrl(text))
}

/// Whether a text contains a password, as far as an address shows it. A password may contain signs that an address must
/// not have as they are, such as `/` and `@`.
#[must_use]
pub fn has_password(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let is_login = rest.rsplit_once('@').is_some_and(|(login, _)| login.contains(':'));
    let query = rest.split_once('?').map_or("", |(_, query)| query);
    is_login || query.to_ascii_lowercase().contains("pass")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Single,
    Sentinel,
    Cluster,
    Socket,
}

const SCHEMES: [(&str, Kind, bool); 7] = [
    ("redis", Kind::Single, false),
    ("rediss", Kind::Single, true),
    ("redis+sentinel", Kind::Sentinel, false),
    ("rediss+sentinel", Kind::Sentinel, true),
    ("redis+cluster", Kind::Cluster, false),
    ("rediss+cluster", Kind::Cluster, true),
    ("unix", Kind::Socket, false),
];

/// The schemes that an address of a store may have.
pub const STORE_SCHEMES: [&str; 7] = {
    let [a, b, c, d, e, f, g] = SCHEMES;
    [a.0, b.0, c.0, d.0, e.0, f.0, g.0]
};

/// The parts of an address that its rules are about.
struct Parts<'a> {
    tls: bool,
    /// `user:password`, `:password`, a user, or empty.
    login: &'a str,
    /// Each with its port, if it has one. Empty for a socket of this machine.
    hosts: Vec<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Result<Self, InvalidValue> {
        let refuse = |message| Err(InvalidValue::new(message));
        let (scheme, rest) = text.trim().split_once("://").unwrap_or_default();
        let Some((_, kind, tls)) = SCHEMES.into_iter().find(|(name, ..)| *name == scheme) else {
            return refuse(SCHEME);
        };
        if rest.is_empty() {
            return refuse(SCHEME);
        }
        if rest.contains(['?', '#']) {
            return refuse(QUERY);
        }
        if kind == Kind::Socket {
            let is_path = rest.len() > 1 && rest.starts_with('/');
            return if is_path { Ok(Self { tls, login: "", hosts: Vec::new() }) } else { refuse(SOCKET) };
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let hosts: Vec<&str> = hosts.split(',').collect();
        let named = hosts.iter().map(|host| address(host)).collect::<Result<Vec<_>, _>>()?;
        let database = match kind {
            Kind::Single if hosts.len() > 1 => return refuse(ONE_HOST),
            Kind::Cluster if !path.is_empty() => return refuse(CLUSTER_PATH),
            Kind::Sentinel => match path.split_once('/').unwrap_or((path, "")) {
                ("", _) => return refuse(SERVICE),
                // Most of the sentinels decide, so each may have one voice only.
                _ if !all_differ(&named) => return refuse(TWICE),
                (_, database) => database,
            },
            _ => path,
        };
        if !database.is_empty() && database.parse::<u16>().is_err() {
            return refuse(DATABASE);
        }
        Ok(Self { tls, login, hosts })
    }
}

fn all_differ(addresses: &[(String, u16)]) -> bool {
    addresses
        .iter()
        .enumerate()
        .all(|(n, address)| !addresses.iter().take(n).any(|earlier| earlier == address))
}

/// The name of a sentinel or server in lower case, and its port. The default port is that of sentinels.
fn address(text: &str) -> Result<(String, u16), InvalidValue> {
    let (host, port) = match text.strip_prefix('[').map(|rest| rest.split_once(']')) {
        Some(Some((host, port))) => (host, port.strip_prefix(':')),
        Some(None) => ("", None),
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    if host.is_empty() || host.contains(char::is_whitespace) {
        return Err(InvalidValue::new(HOST));
    }
    match port.map(str::parse::<u16>) {
        Some(Ok(0) | Err(_)) => Err(InvalidValue::new(PORT)),
        Some(Ok(port)) => Ok((host.to_ascii_lowercase(), port)),
        None => Ok((host.to_ascii_lowercase(), 26379)),
    }
}

const SCHEME: &str = "expected `redis://host:port`, `rediss://` with TLS, \
     `redis+sentinel://host:port,host:port/service`, `redis+cluster://host:port,host:port` or `unix:///path`";
const QUERY: &str = "the address contains no `?` and no `#`: in a password, write `%3F` and `%23`";
const SOCKET: &str = "the path of the socket is missing: write `unix:///run/redis/redis.sock`";
const HOST: &str = "the host is missing: write `redis://host:port`, and in a password `%2F` for `/`";
const PORT: &str = "the port is a number from 1 to 65535: write `redis://host:6379`, and in a password `%2F` for `/`, \
     `%3A` for `:` and `%40` for `@`";
const ONE_HOST: &str =
    "there are several hosts: write `redis+sentinel://` or `redis+cluster://`, or one host";
const CLUSTER_PATH: &str = "a cluster has one database: write `redis+cluster://host:port` without a path";
const SERVICE: &str = "the name of the service is missing: write `redis+sentinel://host:26379/mymaster`";
const TWICE: &str = "a sentinel is named twice: name each once, since more than half of them decide";
const DATABASE: &str = "the database is a number: write `redis://host:6379/0`";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_accepted_and_not_shown() {
        for url in [
            "redis://h",
            "redis://h/",
            "redis://h:6379/2",
            "redis://[::1]:6379",
            "redis://[::1]",
            "redis://:hunter2@h:1/0",
            "redis://user:hunter2@h",
            "redis://user:hunter2:a@b@h",
            "rediss://h",
            "redis+sentinel://a:1,b:2/main",
            "redis+sentinel://a:1,a:2,a/main",
            "rediss+sentinel://:hunter2@a,b:2/main/1",
            "redis+cluster://a:1,b:2",
            "rediss+cluster://a",
            "unix:///run/redis",
            " redis://h\n",
        ] {
            let parsed = store_url(url.to_owned()).unwrap_or_else(|error| panic!("{url}: {error}"));
            assert_eq!((format!("{parsed:?}").as_str(), parsed.as_str()), ("StoreUrl(..)", url));
        }
    }

    #[test]
    fn mistakes_are_named_without_the_address() {
        for (url, expected) in [
            ("", SCHEME),
            ("redis://", SCHEME),
            ("redis:hunter2", SCHEME),
            ("http://hunter2", SCHEME),
            ("HUNTER2_URL", SCHEME),
            ("memcached://hunter2", SCHEME),
            ("redis+other://hunter2", SCHEME),
            ("://hunter2", SCHEME),
            ("+cluster://hunter2", SCHEME),
            ("redisunix:///hunter2", SCHEME),
            ("redis+unix:///hunter2", SCHEME),
            ("rediss+unix:///hunter2", SCHEME),
            ("redis://h?password=hunter2", QUERY),
            ("redis://:hunter2#@h", QUERY),
            ("unix:///run/redis?pass=hunter2", QUERY),
            ("unix://hunter2", SOCKET),
            ("unix:///", SOCKET),
            ("redis://:hunter2@", HOST),
            ("redis://:hunter2@:6379", HOST),
            ("redis://:/hunter2@h", HOST),
            ("redis://hunter2 h", HOST),
            ("redis://[::1", HOST),
            ("redis+cluster://a,,b", HOST),
            ("redis://:hunter2@h:six", PORT),
            ("redis://h:0", PORT),
            ("redis://h:65536", PORT),
            ("redis://u:hun/ter2@h", PORT),
            ("redis://a:1,b:2", ONE_HOST),
            ("redis+cluster://a:1/0", CLUSTER_PATH),
            ("redis+sentinel://:hunter2@a:1", SERVICE),
            ("redis+sentinel://a:1/", SERVICE),
            ("redis+sentinel://hunter2:1,b:1,HUNTER2:1/main", TWICE),
            ("redis+sentinel://a,b:1,a:26379/main", TWICE),
            ("redis+sentinel://a:1/main/hunter2", DATABASE),
            ("redis://h/hunter2", DATABASE),
            ("redis://h/70000", DATABASE),
        ] {
            let error = store_url(url.to_owned()).expect_err(url);
            assert_eq!(error.message(), expected, "{url}");
            assert!(!error.quoted().to_lowercase().contains("hunter2"), "{url}: {}", error.quoted());
        }
    }

    #[test]
    fn password_in_an_address_is_found() {
        for (url, expected) in [
            ("redis://:p@h", true),
            ("redis://user:p@h:1/0", true),
            ("redis://:p/w@h", true),
            ("redis://:p@w@h", true),
            ("redis+sentinel://u:p@a:1,b:2/main", true),
            ("unix:///run/redis?pass=p", true),
            ("redis://h?Password=p", true),
            ("u:p@h", true),
            ("redis://h:6379", false),
            ("redis://user@h:6379", false),
            ("redis+cluster://a:1,b:2", false),
            ("unix:///run/redis", false),
            ("REDIS_URL", false),
        ] {
            assert_eq!(has_password(url), expected, "{url}");
        }
    }

    #[test]
    fn password_is_exposed_without_tls_outside_internal_networks() {
        for (url, expected) in [
            ("redis://:p@cache.example.com:6379", true),
            ("redis://user:p@203.0.113.5", true),
            ("redis://:p@[2001:db8::1]:6379", true),
            ("redis+sentinel://:p@a.internal:1,b.example.com:2/main", true),
            ("redis+cluster://:p@a.example.com:1", true),
            ("rediss://:p@cache.example.com", false),
            ("rediss+sentinel://:p@a.example.com/main", false),
            ("redis://cache.example.com", false),
            ("redis://user@cache.example.com", false),
            ("redis://:p@cache", false),
            ("redis://:p@10.0.0.7:6379", false),
            ("redis://:p@[::1]:6379", false),
            ("redis+sentinel://:p@a.internal:1,b:2/main", false),
            ("unix:///run/redis", false),
        ] {
            assert_eq!(store_url(url.to_owned()).unwrap().exposes_password(), expected, "{url}");
        }
    }
}
