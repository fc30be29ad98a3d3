//! [`Origin`] and [`BaseUrl`]: the URLs of a configuration.

use http::Uri;

use crate::host::{bare_host, host};
use crate::invalid_value::InvalidValue;
use crate::path::path;
use crate::socket::{is_socket, socket};

/// A scheme, host and port (RFC 6454).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Whether the scheme is `https`; else it is `http`.
    pub https: bool,
    /// The host, with the port if the URL has one.
    pub authority: String,
}

impl Origin {
    /// `http` or `https`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.https { "https" } else { "http" }
    }

    /// The host without the port, an IPv6 address without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        bare_host(&self.authority)
    }

    /// The port: that of the URL, or else the default port of the scheme.
    ///
    /// ```
    /// use auth_proxy_rules::origin;
    ///
    /// assert_eq!(origin("http://localhost:3000").unwrap().port(), 3000);
    /// assert_eq!(origin("https://[::1]").unwrap().port(), 443);
    /// ```
    #[must_use]
    pub fn port(&self) -> u16 {
        let written = self.authority.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        written.unwrap_or(self.default_port())
    }

    fn default_port(&self) -> u16 {
        if self.https { 443 } else { 80 }
    }

    /// Whether both are the same origin to a browser: the default port may be written or left out.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let without_default_port = |origin: &Self| {
            let port = format!(":{}", origin.default_port());
            origin.authority.strip_suffix(&port).unwrap_or(&origin.authority).to_ascii_lowercase()
        };
        self.https == other.https && without_default_port(self) == without_default_port(other)
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}", self.scheme(), self.authority)
    }
}

/// Where a server is reached, with a path prefix for every request to it.
///
/// `Display` writes it as the configuration does: a URL, or the address of a Unix socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BaseUrl {
    /// The origin of the server. That of a Unix socket is `http://localhost`, as in curl and Node: `Host` is required
    /// (RFC 9112, section 3.2), and a socket has no name of its own.
    pub origin: Origin,
    /// The path of the Unix socket that is connected to in place of the origin.
    pub socket: Option<String>,
    /// Empty, or a path without a trailing `/`.
    pub prefix: String,
}

impl BaseUrl {
    /// The address of a path of the server, for messages. `path` is empty or begins with `/`.
    ///
    /// ```
    /// use auth_proxy_rules::base_url;
    ///
    /// assert_eq!(base_url("http://auth/x").unwrap().at("/api"), "http://auth/x/api");
    /// assert_eq!(base_url("unix:/run/a.sock").unwrap().at("/api"), "unix:/run/a.sock:/api");
    /// ```
    #[must_use]
    pub fn at(&self, path: &str) -> String {
        let path = format!("{}{path}", self.prefix);
        match &self.socket {
            Some(socket) if path.is_empty() => format!("unix:{socket}"),
            Some(socket) => format!("unix:{socket}:{path}"),
            None => format!("{}{path}", self.origin),
        }
    }

    /// Checks whether a client of the app (`upstream.fetch`) can reach the server.
    ///
    /// # Errors
    /// For a Unix socket: the client gets URLs, which do not name it.
    pub fn check_fetch(&self) -> Result<(), InvalidValue> {
        match self.socket {
            Some(_) => Err(InvalidValue::new(
                "a client of the app gets URLs, and none leads to the Unix socket of `upstream.base_url`: remove \
                 `upstream.fetch`, or write an http(s) URL as `upstream.base_url`",
            )),
            None => Ok(()),
        }
    }
}

impl std::fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.at(""))
    }
}

/// Checks `public_url`: an absolute http(s) origin.
///
/// # Errors
/// When the text is no such URL. The message names the first mistake.
pub fn origin(text: &str) -> Result<Origin, InvalidValue> {
    let (origin, rest) = absolute(text)?;
    match rest.as_str() {
        "" | "/" => Ok(origin),
        path => {
            Err(InvalidValue::with_part("an origin has no path: write the scheme, host and port only", path))
        }
    }
}

/// Checks `upstream.base_url`: an absolute http(s) URL, whose path becomes a prefix, or the address of a Unix socket.
///
/// ```
/// use auth_proxy_rules::base_url;
///
/// let url = base_url("unix:/run/auth.sock:/tenant").unwrap();
/// assert_eq!((url.socket.as_deref(), url.prefix.as_str()), (Some("/run/auth.sock"), "/tenant"));
/// ```
///
/// # Errors
/// When the text is no such address. The message names the first mistake.
pub fn base_url(text: &str) -> Result<BaseUrl, InvalidValue> {
    let (origin, socket, rest) = if is_socket(text) {
        let (socket, rest) = socket(text)?;
        let origin = Origin { https: false, authority: "localhost".to_owned() };
        (origin, Some(socket), rest.to_owned())
    } else if text.starts_with('/') {
        return Err(InvalidValue::new(
            "expected an absolute URL such as `https://auth.example.com`, or `unix:` before the path of a Unix socket",
        ));
    } else if is_socket_of_another_program(text) {
        return Err(InvalidValue::new(
            "a Unix socket is `unix:` and its path, without `http:`, such as `unix:/run/auth.sock`",
        ));
    } else {
        let (origin, rest) = absolute(text)?;
        (origin, None, rest)
    };
    let prefix = if matches!(rest.as_str(), "" | "/") { String::new() } else { path(&rest)? };
    Ok(BaseUrl { origin, socket, prefix })
}

/// Checks the address of an app: an http(s) origin, or a Unix socket, without a path.
///
/// # Errors
/// When the text is no such address. The message names the first mistake.
pub fn app_url(text: &str) -> Result<BaseUrl, InvalidValue> {
    if !is_socket(text) {
        return Ok(BaseUrl { origin: origin(text)?, socket: None, prefix: String::new() });
    }
    let url = base_url(text)?;
    if !url.prefix.is_empty() {
        return Err(InvalidValue::with_part(
            "an app gets every path as it is: write the socket only",
            url.prefix,
        ));
    }
    Ok(url)
}

/// The addresses of Unix sockets in nginx (`http://unix:/run/a.sock`), and in clients of Docker (`http+unix://%2Frun..`).
fn is_socket_of_another_program(text: &str) -> bool {
    text.split_once("://")
        .is_some_and(|(scheme, rest)| scheme.ends_with("+unix") || rest.starts_with("unix:/"))
}

/// The address of a document: an origin, and the path with the query.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// The origin.
    pub origin: Origin,
    /// The path, and the query if there is one.
    pub target: String,
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.origin, self.target)
    }
}

/// Checks `jwks.url`: an absolute http(s) URL of a document, which may have a query.
///
/// # Errors
/// When the text is no such URL. The message names the first mistake.
pub fn endpoint(text: &str) -> Result<Endpoint, InvalidValue> {
    if text.contains('#') {
        return Err(InvalidValue::new(
            "the address of keys has no fragment: remove the `#` and what follows",
        ));
    }
    let authority =
        text.split_once("://").map_or("", |(_, rest)| rest.split(['/', '?']).next().unwrap_or_default());
    if authority.contains('@') {
        return Err(InvalidValue::new("keys are public: the address carries no user name or password"));
    }
    let (before, query) = text.split_once('?').map_or((text, None), |(before, query)| (before, Some(query)));
    let (origin, path) = absolute(before)?;
    if matches!(path.as_str(), "" | "/") {
        return Err(InvalidValue::new(
            "expected the address of the keys with its path, such as `https://auth.example.com/.well-known/jwks.json`",
        ));
    }
    if path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err(InvalidValue::new("the path has no `.` or `..` in it"));
    }
    let target = query.map_or(path.clone(), |query| format!("{path}?{query}"));
    if target.parse::<http::uri::PathAndQuery>().is_err() {
        return Err(InvalidValue::new(
            "expected an absolute URL such as `https://auth.example.com/.well-known/jwks.json`",
        ));
    }
    Ok(Endpoint { origin, target })
}

/// Splits an absolute http(s) URL without query and fragment into its origin and its path.
fn absolute(text: &str) -> Result<(Origin, String), InvalidValue> {
    const EXPECTED: &str = "expected an absolute URL such as `https://auth.example.com`";
    if is_socket(text) {
        return Err(InvalidValue::new(format!(
            "only the login server and an app can be reached over a Unix socket: {EXPECTED}"
        )));
    }
    if text.contains('#') {
        return Err(InvalidValue::new("a base URL has no fragment: remove the `#` and what follows"));
    }
    if text.contains('?') {
        return Err(InvalidValue::new("a base URL has no query: remove the `?` and what follows"));
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(InvalidValue::new(format!("{EXPECTED}: the scheme is missing")));
    };
    let https = match scheme.to_ascii_lowercase().as_str() {
        "https" => true,
        "http" => false,
        _ => return Err(InvalidValue::with_part("the scheme is `http` or `https`", scheme)),
    };
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.contains('@') {
        return Err(InvalidValue::new(
            "a URL carries no user name or password: send credentials in `upstream.headers`",
        ));
    }
    if authority.is_empty() {
        return Err(InvalidValue::new(format!("{EXPECTED}: the host is missing")));
    }
    let authority = host(authority)?;
    if text.parse::<Uri>().is_err() {
        return Err(InvalidValue::new(EXPECTED));
    }
    let path = rest.split_once('/').map(|(_, path)| format!("/{path}")).unwrap_or_default();
    Ok((Origin { https, authority }, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_url_is_split_into_origin_and_prefix() {
        let url = base_url("HTTPS://Auth.Example.com:8443/tenant/").unwrap();
        assert_eq!(url.origin.to_string(), "https://auth.example.com:8443");
        assert_eq!(url.origin.host(), "auth.example.com");
        assert_eq!(url.prefix, "/tenant");
        assert_eq!(base_url("http://[::1]:3000").unwrap().origin.host(), "::1");
        assert_eq!(origin("http://localhost:3000/").unwrap().authority, "localhost:3000");
    }

    #[test]
    fn unix_socket_is_split_into_path_and_prefix() {
        for (text, path, prefix, written) in [
            ("unix:/run/auth.sock", "/run/auth.sock", "", "unix:/run/auth.sock"),
            ("UNIX:/run/auth.sock", "/run/auth.sock", "", "unix:/run/auth.sock"),
            ("unix:/run/auth.sock:/tenant/", "/run/auth.sock", "/tenant", "unix:/run/auth.sock:/tenant"),
            ("unix:/run/auth.sock:", "/run/auth.sock", "", "unix:/run/auth.sock"),
            ("unix:/run/auth.sock:/", "/run/auth.sock", "", "unix:/run/auth.sock"),
            ("unix:/a/My App/auth@1.sock", "/a/My App/auth@1.sock", "", "unix:/a/My App/auth@1.sock"),
        ] {
            let url = base_url(text).unwrap();
            assert_eq!((url.socket.as_deref(), url.prefix.as_str()), (Some(path), prefix), "{text}");
            assert_eq!(url.origin.to_string(), "http://localhost", "{text}");
            assert_eq!(url.to_string(), written);
            assert_eq!(base_url(written).unwrap(), url, "{text}");
        }
        let longest = format!("unix:/{}", "a".repeat(102));
        assert_eq!(base_url(&longest).unwrap().socket.unwrap().len(), 103);
        assert!(base_url(&format!("{longest}a")).unwrap_err().message().contains("at most 103 bytes"));
        assert_eq!(app_url("unix:/run/app.sock").unwrap().socket.as_deref(), Some("/run/app.sock"));
        assert_eq!(app_url("http://app:3000").unwrap().to_string(), "http://app:3000");
        assert!(app_url("unix:/run/app.sock:/x").unwrap_err().message().contains("the socket only"));
        assert!(app_url("http://app/x").is_err());
    }

    #[test]
    fn malformed_and_ambiguous_sockets_are_refused_with_what_to_write() {
        for (text, says) in [
            ("unix:", "`unix:/run/auth.sock`"),
            ("unix:run/auth.sock", "`unix:/run/auth.sock`"),
            ("unix:./auth.sock", "`unix:/run/auth.sock`"),
            ("unix:../auth.sock", "`unix:/run/auth.sock`"),
            ("unix:user@/run/auth.sock", "`unix:/run/auth.sock`"),
            ("unix://run/auth.sock", "with one `/`"),
            ("unix:///run/auth.sock", "with one `/`"),
            ("unix:@auth", "abstract socket"),
            ("unix:\0auth", "abstract socket"),
            ("unix:/", "remove the `/` at the end"),
            ("unix:/run/auth/", "remove the `/` at the end"),
            ("unix:/run//auth.sock", "no empty segment"),
            ("unix:/run/../auth.sock", "no dot segment"),
            ("unix:/run/./auth.sock", "no dot segment"),
            ("unix:/run/auth\0.sock", "no control characters"),
            ("unix:/run/auth.sock\n", "no control characters"),
            ("unix:/run/auth.sock ", "without white space"),
            ("unix:/run/auth.sock?x", "no query"),
            ("unix:/run/auth.sock#x", "no fragment"),
            ("unix:/run%2Fauth.sock", "without percent-escapes"),
            ("unix:\\run\\auth.sock", "`unix:/run/auth.sock`"),
            ("unix:/run/auth.sock:tenant", "a path starts with `/`"),
            ("unix:/run/auth.sock:/../x", "no dot segment"),
            ("unix:/run/auth.sock:/a:/b", "literal"),
            ("/run/auth.sock", "`unix:` before the path"),
            ("http://unix:/run/auth.sock", "without `http:`"),
            ("http://unix:/run/auth.sock:/x", "without `http:`"),
            ("http+unix://%2Frun%2Fauth.sock", "without `http:`"),
        ] {
            let error = base_url(text).unwrap_err();
            assert!(error.message().contains(says), "{text}: {}", error.message());
        }
        for error in
            [origin("unix:/run/auth.sock").unwrap_err(), endpoint("unix:/run/auth.sock").unwrap_err()]
        {
            assert!(error.message().contains("only the login server"), "{error}");
        }
    }

    #[test]
    fn endpoint_keeps_its_path_and_query() {
        let url = endpoint("https://Login.Example.com:8443/t/keys/?app=1&p=a").unwrap();
        assert_eq!(url.origin.authority, "login.example.com:8443");
        assert_eq!(url.target, "/t/keys/?app=1&p=a");
        assert_eq!(url.to_string(), "https://login.example.com:8443/t/keys/?app=1&p=a");
        for (text, says) in [
            ("auth.example.com/keys", "scheme is missing"),
            ("ftp://a/keys", "`http` or `https`"),
            ("https://a", "with its path"),
            ("https://a/", "with its path"),
            ("https://a?b", "with its path"),
            ("https://u:p@a/keys", "no user name"),
            ("https://a/keys#b", "no fragment"),
            ("https://a/../keys", "`..`"),
            ("https://a/a b", "absolute URL"),
            ("https://a/k?a b", "absolute URL"),
        ] {
            let error = endpoint(text).unwrap_err();
            assert!(error.message().contains(says), "{text}: {}", error.message());
        }
    }

    #[test]
    fn default_port_does_not_change_the_origin() {
        for (one, other, same) in [
            ("https://a", "https://A:443", true),
            ("http://a:80", "http://a", true),
            ("http://a", "https://a", false),
            ("http://a:81", "http://a", false),
        ] {
            assert_eq!(origin(one).unwrap().is_same(&origin(other).unwrap()), same, "{one} {other}");
        }
    }

    #[test]
    fn port_is_that_of_the_url_or_of_the_scheme() {
        for (url, port) in [
            ("http://a", 80),
            ("https://a", 443),
            ("https://a:80", 80),
            ("http://a:8080", 8080),
            ("http://[::1]", 80),
            ("https://[::1]:8443", 8443),
            ("http://[2001:db8::443]", 80),
        ] {
            assert_eq!(origin(url).unwrap().port(), port, "{url}");
        }
    }

    #[test]
    fn malformed_and_ambiguous_base_urls_are_refused() {
        let bad = [
            "",
            "auth.example.com",
            "ftp://a",
            "http://",
            "http:///a",
            "https://u:p@a",
            "http://a?b",
            "http://a#b",
            "http://a b",
            "http://a:99999",
            "http://a:",
            "http://a/../b",
            "http://[::1",
            "http://a/%2e",
            "http://-\u{e4}",
            "http://a\\b",
            "javascript://a",
            "http://a..b",
        ];
        for text in bad {
            assert!(base_url(text).is_err(), "{text}");
        }
        assert!(origin("https://a/b").is_err());
    }
}
