//! [`BaseUrl`]: where a server is reached, a URL or a Unix socket.

use crate::invalid_value::InvalidValue;
use crate::path::path;
use crate::socket::{is_socket, socket};
use crate::url::{Origin, absolute, origin};

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
    } else {
        no_other_form_of_socket(text)?;
        let (origin, rest) = absolute(text)?;
        (origin, None, rest)
    };
    let prefix = if matches!(rest.as_str(), "" | "/") { String::new() } else { path(&rest)? };
    Ok(BaseUrl { origin, socket, prefix })
}

/// Checks that a text is no Unix socket as other programs write it.
///
/// # Errors
/// Names the form that this crate reads.
fn no_other_form_of_socket(text: &str) -> Result<(), InvalidValue> {
    if text.starts_with('/') {
        return Err(InvalidValue::new(
            "expected an absolute URL such as `https://auth.example.com`, or `unix:` before the path of a Unix socket",
        ));
    }
    if is_socket_of_another_program(text) {
        return Err(InvalidValue::new(
            "a Unix socket is `unix:` and its path, without `http:`, such as `unix:/run/auth.sock`",
        ));
    }
    Ok(())
}

/// Checks the address of an app: an http(s) origin, or a Unix socket, without a path.
///
/// # Errors
/// When the text is no such address. The message names the first mistake.
pub fn app_url(text: &str) -> Result<BaseUrl, InvalidValue> {
    if !is_socket(text) {
        no_other_form_of_socket(text)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::url::endpoint;

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
