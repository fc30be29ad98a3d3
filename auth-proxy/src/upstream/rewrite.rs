use auth_proxy_rules::{BaseUrl, CookieDomain, Origin, Rewriting, Settings, is_in_domain, is_local, lowered};
use http::header::{LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Uri};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Turns what points at the upstream into what points at this app.
///
/// The README's table of the options in `rewrite` says what becomes of what. Everything else passes
/// untouched.
pub(crate) struct Rewrite<'a> {
    upstream: &'a BaseUrl,
    public_origins: &'a [Origin],
    upstream_base: &'a str,
    local_base: &'a str,
    /// This app as the browser sees it.
    own: Option<Origin>,
    what: &'a Rewriting,
}

/// What a client of Auth.js gets in place of a redirect.
#[derive(Deserialize)]
struct Redirect<'a> {
    #[serde(borrow)]
    url: &'a RawValue,
}

impl<'a> Rewrite<'a> {
    pub(crate) fn new(settings: &'a Settings, own: Option<Origin>) -> Self {
        Self {
            upstream: &settings.base_url,
            public_origins: &settings.public_origins,
            upstream_base: &settings.upstream_base_path,
            local_base: &settings.base_path,
            own,
            what: &settings.rewrite,
        }
    }

    /// Rewrites `Location` and every `Set-Cookie`, in place and in order.
    pub(crate) fn head(&self, headers: &mut HeaderMap) {
        let location = headers.get(LOCATION).and_then(text).and_then(|text| self.path(text));
        if let Some(Ok(value)) = location.map(HeaderValue::try_from) {
            headers.insert(LOCATION, value);
        }
        for (name, value) in headers.iter_mut() {
            if *name == SET_COOKIE
                && let Some(Ok(changed)) =
                    text(value).and_then(|text| self.cookie(text)).map(HeaderValue::try_from)
            {
                *value = changed;
            }
        }
    }

    /// Rewrites the answer to `X-Auth-Return-Redirect` or `json=true` (`core/index.ts:161-172`):
    /// an object with a `url`, of which everything else stays as it is, byte for byte. `None` when there is
    /// nothing to change.
    pub(crate) fn json(&self, body: &[u8]) -> Option<Vec<u8>> {
        // An array would do for the type, its elements in the order of the fields.
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

    /// The path of this app that a URL of the upstream stands for.
    fn path(&self, url: &str) -> Option<String> {
        if !self.what.location {
            return None;
        }
        let (origin, path) = split(url)?;
        match origin {
            Some(origin) if self.is_upstreams(&origin) => {
                let path = path.strip_prefix(self.upstream.prefix.as_str()).unwrap_or(path);
                let path = self.below_base(path).unwrap_or_else(|| path.to_owned());
                // What is a path on the upstream's origin may be another host without it.
                Some(if is_local(&path) { path } else { "/".to_owned() })
            }
            Some(origin) if self.own.as_ref().is_some_and(|own| origin.is_same(own)) => self.below_base(path),
            Some(_) => None,
            None => self.below_base(path),
        }
    }

    fn is_upstreams(&self, origin: &Origin) -> bool {
        origin.is_same(&self.upstream.origin) || self.public_origins.iter().any(|other| other.is_same(origin))
    }

    /// A path below the upstream's base path as one below this app's, where they differ.
    fn below_base(&self, path: &str) -> Option<String> {
        let rest = path.strip_prefix(self.upstream_base)?;
        let at_boundary = rest.is_empty() || rest.starts_with(['/', '?', '#']);
        (at_boundary && self.upstream_base != self.local_base).then(|| format!("{}{rest}", self.local_base))
    }

    fn cookie(&self, text: &str) -> Option<String> {
        let mut changed = false;
        let mut parts = text.split(';');
        let pair = parts.next()?;
        let pair = match lowered(pair.trim_start()).filter(|_| self.what.cookie_prefix) {
            Some(renamed) => {
                changed = true;
                renamed.to_owned()
            }
            None => pair.to_owned(),
        };
        let kept: Vec<String> = parts
            .filter_map(|part| {
                let (name, value) = part.split_once('=').unwrap_or((part, ""));
                let new = match name.trim().to_ascii_lowercase().as_str() {
                    "domain" => match self.domain(value.trim()) {
                        Domain::Stays => return Some(part.to_owned()),
                        Domain::Goes => None,
                        Domain::Becomes(domain) => Some(format!(" Domain={domain}")),
                    },
                    "path"
                        if self.what.cookie_path
                            && value.trim() == self.upstream_base
                            && self.upstream_base != self.local_base =>
                    {
                        Some(format!(" Path={}", self.local_base))
                    }
                    "secure" if self.what.cookie_secure => None,
                    "samesite" if self.what.cookie_secure && value.trim().eq_ignore_ascii_case("none") => {
                        Some(" SameSite=Lax".to_owned())
                    }
                    _ => return Some(part.to_owned()),
                };
                changed = true;
                new
            })
            .collect();
        changed.then(|| [pair].into_iter().chain(kept).collect::<Vec<_>>().join(";"))
    }

    /// Where this app's host is not known, the upstream's word stands.
    fn domain(&self, domain: &str) -> Domain<'_> {
        match &self.what.cookie_domain {
            CookieDomain::Keep => Domain::Stays,
            CookieDomain::Drop => Domain::Goes,
            CookieDomain::Literal(own) => Domain::Becomes(own),
            CookieDomain::Auto => match &self.own {
                Some(own) if !is_in_domain(own.host(), domain) => Domain::Goes,
                _ => Domain::Stays,
            },
        }
    }
}

/// What becomes of a `Domain`.
enum Domain<'a> {
    Stays,
    Goes,
    Becomes(&'a str),
}

/// Servers write UTF-8 there too, though headers are ASCII (RFC 9110, section 5.5).
fn text(value: &HeaderValue) -> Option<&str> {
    std::str::from_utf8(value.as_bytes()).ok()
}

/// The origin of a URL, if it has one, and the rest. `None` for what is no http(s) URL of a path.
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
    use auth_proxy_rules::{Draft, Opt};

    use super::*;

    /// The settings of an app at `own`, before an upstream at `upstream`.
    fn settings(upstream: &str, own: &str, more: &[(Opt, &str)]) -> Settings {
        let mut draft = Draft::default();
        let paths = [(Opt::UpstreamBasePath, "/auth"), (Opt::BasePath, "/api/login")];
        for (option, text) in
            paths.iter().chain(&[(Opt::BaseUrl, upstream), (Opt::PublicUrl, own)]).chain(more)
        {
            draft.set(*option, text).unwrap();
        }
        draft.resolve().unwrap()
    }

    fn rewrite(settings: &Settings) -> Rewrite<'_> {
        Rewrite::new(settings, settings.public_url.clone())
    }

    #[test]
    fn what_points_at_the_upstream_points_here() {
        let settings = settings("https://auth.example.com/tenant", "https://app.example.org", &[]);
        let rewrite = rewrite(&settings);
        for (url, path) in [
            ("https://auth.example.com/tenant/auth/signin?error=x#y", Some("/api/login/signin?error=x#y")),
            ("https://AUTH.example.com:443/auth/error", Some("/api/login/error")),
            ("https://auth.example.com/dashboard", Some("/dashboard")),
            ("https://auth.example.com", Some("/")),
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
    fn json_redirects_stay_absolute() {
        let settings = settings("http://auth.internal", "https://app.example.org", &[]);
        let rewrite = rewrite(&settings);
        let json = |text: &str| rewrite.json(text.as_bytes()).map(|body| String::from_utf8(body).unwrap());
        // All but the URL is as it was: white space, the order, and numbers that no double holds.
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
    fn cookies_become_this_apps() {
        let upstream = "https://auth.example.com";
        let https = settings(upstream, "https://app.example.com", &[]);
        let http = settings(upstream, "http://app.local:3000", &[]);
        let (https, http) = (rewrite(&https), rewrite(&http));
        for (rewrite, from, to) in [
            (&https, "a=b; Domain=auth.example.com; Path=/; HttpOnly", Some("a=b; Path=/; HttpOnly")),
            (&https, "a=b; domain=.Example.com; Path=/", None),
            (&https, "a=b; Domain=ample.com", Some("a=b")),
            (&https, "a=b; Path=/auth; Secure", Some("a=b; Path=/api/login; Secure")),
            (&https, "a=b; Path=/; Secure; SameSite=None", None),
            (&http, "a=b; Path=/; Secure; SameSite=None", Some("a=b; Path=/; SameSite=Lax")),
            (&http, "a=b=c; Path=/; SameSite=Strict", None),
            (&http, "__Host-a=__Host-b; Path=/; Secure", Some("_Host-a=__Host-b; Path=/")),
            (&http, " __Secure-a.0=b", Some("_Secure-a.0=b")),
            (&https, "__Secure-a=b; Path=/; Secure", None),
            (&https, "", None),
        ] {
            assert_eq!(rewrite.cookie(from).as_deref(), to, "{from}");
        }
    }

    #[test]
    fn each_by_its_option() {
        let cookie = "__Host-a=b; Domain=auth.example.com; Path=/auth; Secure; SameSite=None";
        for (option, value, becomes) in [
            (Opt::CookieDomain, "auto", "_Host-a=b; Path=/api/login; SameSite=Lax"),
            (Opt::CookieDomain, "drop", "_Host-a=b; Path=/api/login; SameSite=Lax"),
            (Opt::CookieDomain, "keep", "_Host-a=b; Domain=auth.example.com; Path=/api/login; SameSite=Lax"),
            (
                Opt::CookieDomain,
                ".example.org",
                "_Host-a=b; Domain=example.org; Path=/api/login; SameSite=Lax",
            ),
            (Opt::CookiePath, "false", "_Host-a=b; Path=/auth; SameSite=Lax"),
            (Opt::CookieSecure, "false", "_Host-a=b; Path=/api/login; Secure; SameSite=None"),
            (Opt::CookiePrefix, "false", "__Host-a=b; Path=/api/login; SameSite=Lax"),
        ] {
            let settings = settings("https://auth.example.com", "http://app.example.org", &[(option, value)]);
            assert_eq!(rewrite(&settings).cookie(cookie).as_deref(), Some(becomes), "{option}: {value}");
        }
        let off = [(Opt::RewriteLocation, "false")];
        let settings = settings("https://auth.example.com", "http://app.example.org", &off);
        assert_eq!(rewrite(&settings).path("https://auth.example.com/auth/error"), None);
        assert_eq!(rewrite(&settings).json(br#"{"url":"https://auth.example.com/auth"}"#), None);
    }
}
