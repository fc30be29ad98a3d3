use auth_proxy_rules::{BaseUrl, Origin, Settings};
use http::header::{LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Uri};

/// Turns what points at the upstream into what points at this app.
///
/// | part of a response | becomes |
/// |---|---|
/// | `Location` on the upstream's origin | the same path of this app, without an origin, so that no `Host` header can choose it |
/// | `Location` below the upstream's base path | the same below this app's base path |
/// | `{"url": ..}` of a JSON redirect | the same, on this app's origin, since clients parse it as an absolute URL |
/// | `Set-Cookie` with a `Domain` that this app's host is not in | without the `Domain`: a cookie of this app |
/// | `Set-Cookie` with the upstream's base path as `Path` | this app's base path |
/// | `Set-Cookie` with `Secure`, where `public_url` is http | without `Secure`, and `SameSite=Lax` in place of `None` |
///
/// Everything else passes untouched.
pub(crate) struct Rewrite<'a> {
    upstream: &'a BaseUrl,
    upstream_base: &'a str,
    local_base: &'a str,
    /// This app as the browser sees it.
    own: Option<Origin>,
    /// Whether configuration, not a guess, says that browsers come over plain http.
    plain_http: bool,
}

impl<'a> Rewrite<'a> {
    pub(crate) fn new(settings: &'a Settings, own: Option<Origin>) -> Self {
        Self {
            upstream: &settings.base_url,
            upstream_base: &settings.upstream_base_path,
            local_base: &settings.base_path,
            own,
            plain_http: settings.public_url.as_ref().is_some_and(|url| !url.https),
        }
    }

    /// Rewrites `Location` and every `Set-Cookie`, in place and in order.
    pub(crate) fn head(&self, headers: &mut HeaderMap) {
        let location =
            headers.get(LOCATION).and_then(|value| value.to_str().ok()).and_then(|text| self.path(text));
        if let Some(Ok(value)) = location.map(|text| HeaderValue::from_str(&text)) {
            headers.insert(LOCATION, value);
        }
        for (name, value) in headers.iter_mut() {
            if *name == SET_COOKIE
                && let Some(Ok(changed)) =
                    value.to_str().ok().and_then(|text| self.cookie(text)).map(|t| t.parse())
            {
                *value = changed;
            }
        }
    }

    /// Rewrites the answer to `X-Auth-Return-Redirect` or `json=true` (`core/index.ts:161-172`):
    /// an object with a `url`. `None` when there is nothing to change.
    pub(crate) fn json(&self, body: &[u8]) -> Option<Vec<u8>> {
        let mut object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(body).ok()?;
        let path = self.path(object.get("url")?.as_str()?)?;
        let url = match &self.own {
            Some(own) => format!("{own}{path}"),
            None => path,
        };
        object.insert("url".to_owned(), url.into());
        serde_json::to_vec(&object).ok()
    }

    /// The path of this app that a URL of the upstream stands for.
    fn path(&self, url: &str) -> Option<String> {
        let (origin, path) = split(url)?;
        match origin {
            Some(origin) if origin.is_same(&self.upstream.origin) => {
                let path = path.strip_prefix(self.upstream.prefix.as_str()).unwrap_or(path);
                let path = self.below_base(path).unwrap_or_else(|| path.to_owned());
                // Never a path that a browser reads as another host.
                let is_local = path.starts_with('/') && !path.starts_with("//") && !path.starts_with("/\\");
                Some(if is_local { path } else { "/".to_owned() })
            }
            Some(origin) if self.own.as_ref().is_some_and(|own| origin.is_same(own)) => self.below_base(path),
            Some(_) => None,
            None => self.below_base(path),
        }
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
        let kept: Vec<String> = parts
            .filter_map(|part| {
                let (name, value) = part.split_once('=').unwrap_or((part, ""));
                let new = match name.trim().to_ascii_lowercase().as_str() {
                    "domain" if !self.is_in(value.trim()) => None,
                    "path" if value.trim() == self.upstream_base && self.upstream_base != self.local_base => {
                        Some(format!(" Path={}", self.local_base))
                    }
                    "secure" if self.plain_http => None,
                    "samesite" if self.plain_http && value.trim().eq_ignore_ascii_case("none") => {
                        Some(" SameSite=Lax".to_owned())
                    }
                    _ => return Some(part.to_owned()),
                };
                changed = true;
                new
            })
            .collect();
        changed.then(|| [pair.to_owned()].into_iter().chain(kept).collect::<Vec<_>>().join(";"))
    }

    /// Whether a browser on this app would keep a cookie of this domain (RFC 6265, section 5.1.3).
    /// Where this app's host is not known, the upstream's word stands.
    fn is_in(&self, domain: &str) -> bool {
        let Some(own) = &self.own else { return true };
        let (host, domain) =
            (own.host().to_ascii_lowercase(), domain.trim_start_matches('.').to_ascii_lowercase());
        host == domain || host.strip_suffix(&domain).is_some_and(|front| front.ends_with('.'))
    }
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
    use auth_proxy_rules::{base_url, origin};

    use super::*;

    fn rewrite<'a>(upstream: &'a BaseUrl, own: &str, plain_http: bool) -> Rewrite<'a> {
        Rewrite {
            upstream,
            upstream_base: "/auth",
            local_base: "/api/login",
            own: Some(origin(own).unwrap()),
            plain_http,
        }
    }

    #[test]
    fn what_points_at_the_upstream_points_here() {
        let upstream = base_url("https://auth.example.com/tenant").unwrap();
        let rewrite = rewrite(&upstream, "https://app.example.org", false);
        for (url, path) in [
            ("https://auth.example.com/tenant/auth/signin?error=x#y", Some("/api/login/signin?error=x#y")),
            ("https://AUTH.example.com:443/auth/error", Some("/api/login/error")),
            ("https://auth.example.com/dashboard", Some("/dashboard")),
            ("https://auth.example.com", Some("/")),
            ("https://auth.example.com//evil.example", Some("/")),
            ("https://auth.example.com/tenant//evil.example", Some("/")),
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
        let upstream = base_url("http://auth.internal").unwrap();
        let rewrite = rewrite(&upstream, "https://app.example.org", false);
        let json = |text: &str| rewrite.json(text.as_bytes()).map(|body| String::from_utf8(body).unwrap());
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
        let upstream = base_url("https://auth.example.com").unwrap();
        let https = rewrite(&upstream, "https://app.example.com", false);
        let http = rewrite(&upstream, "http://app.local:3000", true);
        for (rewrite, from, to) in [
            (&https, "a=b; Domain=auth.example.com; Path=/; HttpOnly", Some("a=b; Path=/; HttpOnly")),
            (&https, "a=b; domain=.Example.com; Path=/", None),
            (&https, "a=b; Domain=ample.com", Some("a=b")),
            (&https, "a=b; Path=/auth; Secure", Some("a=b; Path=/api/login; Secure")),
            (&https, "a=b; Path=/; Secure; SameSite=None", None),
            (&http, "a=b; Path=/; Secure; SameSite=None", Some("a=b; Path=/; SameSite=Lax")),
            (&http, "a=b=c; Path=/; SameSite=Strict", None),
            (&https, "", None),
        ] {
            assert_eq!(rewrite.cookie(from).as_deref(), to, "{from}");
        }
    }
}
