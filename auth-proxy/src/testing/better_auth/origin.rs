//! The check of the request's origin, against cross-site request forgery (`docs/better-auth.md#origin-check`).

use http::header::{COOKIE, HOST, ORIGIN, REFERER};
use http::{Method, StatusCode};

use super::request::Request;
use super::response::{Refusal, error};

impl Request<'_> {
    /// Checks the origin of a request that may change something, if it has a cookie: any cookie. A sign-in is checked
    /// without one too, if it comes from a browser.
    pub(super) fn check_origin(&self, path: &str) -> Result<(), Refusal> {
        if self.seen.method == Method::GET {
            return Ok(());
        }
        if self.seen.headers.contains_key(COOKIE) {
            return self.require_trusted_origin();
        }
        if !matches!(path, "/sign-in/email" | "/sign-up/email") {
            return Ok(());
        }
        let (site, mode) = (self.header("sec-fetch-site"), self.header("sec-fetch-mode"));
        if site == Some("cross-site") && mode == Some("navigate") {
            return Err(error(
                StatusCode::FORBIDDEN,
                "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED",
                "Cross-site navigation login blocked. This request appears to be a CSRF attack.",
            ));
        }
        let is_of_browser = site.or(mode).or(self.header("sec-fetch-dest")).is_some();
        if is_of_browser || self.claimed_origin().is_some() {
            return self.require_trusted_origin();
        }
        Ok(())
    }

    fn require_trusted_origin(&self) -> Result<(), Refusal> {
        let own = self.own_origin();
        let is_same_site = self.header("sec-fetch-site") == Some("same-origin");
        let origin = match self.claimed_origin() {
            Some("null") if is_same_site => Some(own.as_str()),
            Some("null") | None => None,
            Some(url) => Some(origin_of(url)),
        };
        let Some(origin) = origin else {
            return Err(error(StatusCode::FORBIDDEN, "MISSING_OR_NULL_ORIGIN", "Missing or null Origin"));
        };
        let trusted = &self.fake.settings.better_auth.trusted_origins;
        if origin == own || trusted.iter().any(|pattern| matches(pattern, origin)) {
            return Ok(());
        }
        Err(error(StatusCode::FORBIDDEN, "INVALID_ORIGIN", "Invalid origin"))
    }

    /// `Origin`, or else `Referer`.
    fn claimed_origin(&self) -> Option<&str> {
        let is_set = |text: &&str| !text.is_empty();
        self.header(ORIGIN.as_str()).filter(is_set).or_else(|| self.header(REFERER.as_str()).filter(is_set))
    }

    /// The origin of the request, as a server without `baseURL` sees it.
    pub(super) fn own_origin(&self) -> String {
        let scheme = self.header("x-forwarded-proto").unwrap_or("http");
        format!("{scheme}://{}", self.header(HOST.as_str()).unwrap_or("localhost"))
    }
}

/// The origin of a URL: without path and query.
fn origin_of(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url.get(host..).and_then(|rest| rest.find(['/', '?', '#'])).map_or(url.len(), |at| host + at);
    url.get(..end).unwrap_or(url)
}

/// Whether an origin is of this pattern, in which `*` is any text. A pattern without a scheme is one of the host.
fn matches(pattern: &str, origin: &str) -> bool {
    let text = if pattern.contains("://") { origin } else { origin.split("://").last().unwrap_or(origin) };
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let parts: Vec<_> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_origins() {
        for (pattern, origin, expected) in [
            ("https://app.example", "https://app.example", true),
            ("https://app.example", "https://app.example.org", false),
            ("https://app.example", "http://app.example", false),
            ("https://*.example", "https://a.b.example", true),
            ("https://*.example", "https://example", false),
            ("*.example", "https://a.example", true),
            ("http://127.0.0.1:*", "http://127.0.0.1:3000", true),
            ("http://127.0.0.1:*", "http://127.0.0.2:3000", false),
        ] {
            assert_eq!(matches(pattern, origin), expected, "{pattern} {origin}");
        }
    }

    #[test]
    fn path_is_no_part_of_an_origin() {
        for url in ["https://a.example", "https://a.example/b?c", "https://a.example?c"] {
            assert_eq!(origin_of(url), "https://a.example");
        }
    }
}
