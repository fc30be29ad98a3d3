//! [`Origin`] and [`Endpoint`]: the URLs of a configuration.

use http::Uri;

use crate::host::{bare_host, host};
use crate::invalid_value::InvalidValue;
use crate::socket::is_socket;

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
pub(crate) fn absolute(text: &str) -> Result<(Origin, String), InvalidValue> {
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
}
