//! Rewrites URLs of the upstream in `Location` and in JSON redirects to URLs of this app.

use auth_proxy_rules::{BaseUrl, Origin, Settings, is_local};
use http::header::LOCATION;
use http::{HeaderMap, HeaderValue, Uri};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Rewrites URLs of the upstream. All other URLs pass unchanged.
pub(super) struct LocationRewriter<'a> {
    upstream: &'a BaseUrl,
    public_origins: &'a [Origin],
    upstream_base: &'a str,
    local_base: &'a str,
    /// This app's origin, as the browser sees it.
    own: Option<Origin>,
    /// `rewrite.location`
    is_enabled: bool,
}

/// The JSON that a client of Auth.js gets in place of a redirect.
#[derive(Deserialize)]
struct Redirect<'a> {
    #[serde(borrow)]
    url: &'a RawValue,
}

impl<'a> LocationRewriter<'a> {
    pub(super) fn new(settings: &'a Settings, own: Option<Origin>) -> Self {
        Self {
            upstream: &settings.base_url,
            public_origins: &settings.public_origins,
            upstream_base: &settings.upstream_base_path,
            local_base: &settings.base_path,
            own,
            is_enabled: settings.rewrite.location,
        }
    }

    /// Rewrites `Location`.
    pub(super) fn location_header(&self, headers: &mut HeaderMap) {
        let location = headers.get(LOCATION).and_then(text).and_then(|text| self.path(text));
        if let Some(Ok(value)) = location.map(HeaderValue::try_from) {
            headers.insert(LOCATION, value);
        }
    }

    /// Rewrites the response to `X-Auth-Return-Redirect` or `json=true` (`docs/authjs.md#return-redirect`): a JSON
    /// object with a `url`. The rest of the object stays the same, byte for byte. `None` if there is nothing to change.
    pub(super) fn json(&self, body: &[u8]) -> Option<Vec<u8>> {
        // serde reads a struct from an array too, but only an object is a redirect.
        let text = std::str::from_utf8(body).ok().filter(|text| text.trim_ascii_start().starts_with('{'))?;
        let written = serde_json::from_str::<Redirect<'_>>(text).ok()?.url.get();
        let path = self.path(&serde_json::from_str::<String>(written).ok()?)?;
        let url = match &self.own {
            Some(own) => format!("{own}{path}"),
            None => path,
        };
        let at = (written.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
        let after = text.get(at..)?.strip_prefix(written)?;
        Some([text.get(..at)?, &serde_json::to_string(&url).ok()?, after].concat().into_bytes())
    }

    /// The path of this app that replaces a URL of the upstream.
    fn path(&self, url: &str) -> Option<String> {
        if !self.is_enabled {
            return None;
        }
        let (origin, path) = split(url)?;
        match origin {
            Some(origin) if self.is_of_upstream(&origin, path) => {
                let path = below(path, &self.upstream.prefix).unwrap_or(path);
                // A URL may have a query directly after its host, or after the prefix (RFC 3986, section 3.3).
                let slash = if path.starts_with('/') { "" } else { "/" };
                let path = self.below_base(path).unwrap_or_else(|| format!("{slash}{path}"));
                // After an origin, `//evil.example` is a path. Without one, browsers read it as another host.
                Some(if is_local(&path) { path } else { "/".to_owned() })
            }
            Some(origin) if self.own.as_ref().is_some_and(|own| origin.is_same(own)) => self.below_base(path),
            Some(_) => None,
            None => self.below_base(path),
        }
    }

    fn is_of_upstream(&self, origin: &Origin, path: &str) -> bool {
        // A Unix socket has the origin `http://localhost`, which this app may have too. Then only a sign-in path below the
        // prefix is the upstream's.
        let is_own = || self.own.as_ref().is_some_and(|own| origin.is_same(own));
        let is_upstream = origin.is_same(&self.upstream.origin);
        (is_upstream && (self.upstream.socket.is_none() || !is_own() || self.is_below_prefix(path)))
            || self.public_origins.iter().any(|other| other.is_same(origin))
    }

    /// Whether it is a sign-in path below the prefix of the upstream, if that has one.
    fn is_below_prefix(&self, path: &str) -> bool {
        !self.upstream.prefix.is_empty()
            && below(path, &self.upstream.prefix)
                .is_some_and(|path| below(path, self.upstream_base).is_some())
    }

    /// Moves a path from the upstream's base path to this app's, if they differ.
    fn below_base(&self, path: &str) -> Option<String> {
        let rest = below(path, self.upstream_base)?;
        (self.upstream_base != self.local_base).then(|| format!("{}{rest}", self.local_base))
    }
}

/// The rest of a path after a base path: empty, or beginning with `/`, `?` or `#`.
fn below<'p>(path: &'p str, base: &str) -> Option<&'p str> {
    path.strip_prefix(base).filter(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
}

/// Servers write UTF-8 into `Location`, though header values are ASCII (RFC 9110, section 5.5).
fn text(value: &HeaderValue) -> Option<&str> {
    std::str::from_utf8(value.as_bytes()).ok()
}

/// The origin of a URL, if it has one, and its path. `None` for a URL of another scheme and for a relative path.
fn split(url: &str) -> Option<(Option<Origin>, &str)> {
    if url.starts_with('/') && !url.starts_with("//") {
        return Some((None, url));
    }
    let (scheme, rest) = url.split_once("://")?;
    let https = match scheme.to_ascii_lowercase().as_str() {
        "https" => true,
        "http" => false,
        _ => return None,
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let authority = authority.parse::<Uri>().ok()?.authority()?.as_str().to_ascii_lowercase();
    Some((Some(Origin { https, authority }), if path.is_empty() { "/" } else { path }))
}

#[cfg(test)]
mod tests {
    use auth_proxy_rules::{Draft, OptionKey};

    use super::*;

    /// The settings of an app at `own`, before an upstream at `upstream`.
    fn settings(upstream: &str, own: &str, more: &[(OptionKey, &str)]) -> Settings {
        let mut draft = Draft::default();
        let paths = [(OptionKey::UpstreamBasePath, "/auth"), (OptionKey::BasePath, "/api/login")];
        for (option, text) in
            paths.iter().chain(&[(OptionKey::BaseUrl, upstream), (OptionKey::PublicUrl, own)]).chain(more)
        {
            draft.set(*option, text).unwrap();
        }
        draft.resolve().unwrap()
    }

    fn rewrite(settings: &Settings) -> LocationRewriter<'_> {
        LocationRewriter::new(settings, settings.public_url.clone())
    }

    #[test]
    fn upstream_urls_become_paths_of_this_app() {
        let settings = settings("https://auth.example.com/tenant", "https://app.example.org", &[]);
        let rewrite = rewrite(&settings);
        for (url, path) in [
            ("https://auth.example.com/tenant/auth/signin?error=x#y", Some("/api/login/signin?error=x#y")),
            ("https://AUTH.example.com:443/auth/error", Some("/api/login/error")),
            ("https://auth.example.com/dashboard", Some("/dashboard")),
            ("https://auth.example.com", Some("/")),
            ("https://auth.example.com?x", Some("/?x")),
            ("https://auth.example.com/tenant", Some("/")),
            ("https://auth.example.com/tenant?x#y", Some("/?x#y")),
            ("https://auth.example.com/tenant-b/x", Some("/tenant-b/x")),
            ("https://auth.example.com/tenant/tenant/x", Some("/tenant/x")),
            ("https://auth.example.com//evil.example", Some("/")),
            ("https://auth.example.com/tenant//evil.example", Some("/")),
            ("https://auth.example.com/\t/evil.example", Some("/")),
            ("https://auth.example.com/\\evil.example", Some("/")),
            ("https://auth.example.com/caf\u{e9}", Some("/caf\u{e9}")),
            ("https://auth.example.com/authority", Some("/authority")),
            ("https://app.example.org/auth/verify-request", Some("/api/login/verify-request")),
            ("https://app.example.org/dashboard", None),
            ("/auth/signin", Some("/api/login/signin")),
            ("/auth", Some("/api/login")),
            ("/auth?x", Some("/api/login?x")),
            ("/authx", None),
            ("/dashboard", None),
            ("//auth.example.com/auth", None),
            ("http://auth.example.com/auth", None),
            ("https://auth.example.com.evil.example/auth", None),
            ("https://auth.example.com@evil.example/auth", None),
            ("https://idp.example/authorize?redirect_uri=https://auth.example.com/auth", None),
            ("javascript:alert(1)", None),
            ("", None),
        ] {
            assert_eq!(rewrite.path(url).as_deref(), path, "{url}");
        }
    }

    #[test]
    fn urls_of_localhost_are_those_of_a_socket_unless_this_app_is_there() {
        let other_port = "http://localhost:3000";
        for (own, url, path) in [
            (other_port, "http://localhost/tenant/dashboard", Some("/dashboard")),
            (other_port, "http://localhost/tenant/auth/error", Some("/api/login/error")),
            ("http://localhost", "http://localhost/tenant/dashboard", None),
            ("http://localhost", "http://localhost/tenant/auth/error", Some("/api/login/error")),
            ("http://localhost", "http://localhost/auth/error", Some("/api/login/error")),
        ] {
            let settings = settings("unix:/run/auth.sock:/tenant", own, &[]);
            assert_eq!(rewrite(&settings).path(url).as_deref(), path, "{own} {url}");
        }
        let same_base =
            settings("unix:/run/auth.sock:/tenant", "http://localhost", &[(OptionKey::BasePath, "/auth")]);
        for (url, path) in [
            ("http://localhost/tenant/auth/error", Some("/auth/error")),
            ("http://localhost/tenant/auth//evil.example", Some("/auth//evil.example")),
            ("http://localhost/auth/error", None),
        ] {
            assert_eq!(rewrite(&same_base).path(url).as_deref(), path, "{url}");
        }
    }

    #[test]
    fn json_redirect_url_is_rewritten_and_other_bytes_are_kept() {
        let settings = settings("http://auth.internal", "https://app.example.org", &[]);
        let rewrite = rewrite(&settings);
        let json = |text: &str| rewrite.json(text.as_bytes()).map(|body| String::from_utf8(body).unwrap());
        // Everything but the URL stays the same: white space, order, and numbers that a double cannot hold.
        assert_eq!(
            json(r#" { "b" : 12222222222.22222222222222 , "url":"/auth/x\u002e", "a": 1e400}"#).as_deref(),
            Some(
                r#" { "b" : 12222222222.22222222222222 , "url":"https://app.example.org/api/login/x.", "a": 1e400}"#
            )
        );
        assert_eq!(json(r#"["/auth/x"]"#), None);
        assert_eq!(
            json(r#"{"url":"http://auth.internal/auth/error?error=X"}"#).unwrap(),
            r#"{"url":"https://app.example.org/api/login/error?error=X"}"#
        );
        for untouched in
            [r#"{"url":"https://idp.example/"}"#, r#"{"user":{}}"#, "null", "[]", "nope", r#"{"url":1}"#]
        {
            assert_eq!(json(untouched), None, "{untouched}");
        }
    }

    #[test]
    fn rewrite_location_false_leaves_redirects_unchanged() {
        let off = [(OptionKey::RewriteLocation, "false")];
        let settings = settings("https://auth.example.com", "http://app.example.org", &off);
        assert_eq!(rewrite(&settings).path("https://auth.example.com/auth/error"), None);
        assert_eq!(rewrite(&settings).json(br#"{"url":"https://auth.example.com/auth"}"#), None);
    }
}
