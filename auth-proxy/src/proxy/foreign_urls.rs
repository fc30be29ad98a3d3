//! Warns once when the upstream's URLs have another origin than this app: its forms would be posted to that origin,
//! without the cookies that they need. The check reads the list of providers and the sign-in page.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use auth_proxy_rules::{Origin, is_in_domain, origin};
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, SET_COOKIE};
use http::{HeaderMap, StatusCode, Uri};
use http_body::{Frame, SizeHint};

use super::foreign_origin::warn_of_origin;
use crate::cookie::domain;
use crate::dialect::{Page, Software};
use crate::forwarded::ClientInfo;
use crate::provider::Shared;
use crate::warnings::Warning;

/// How many bytes of a body are checked. The sign-in page of Auth.js has its first form after 12 KiB of styles.
const LIMIT: usize = 64 * 1024;

/// Checks the URLs in a page while its body passes through unchanged. Does nothing once the warning was logged.
pub(super) fn check_urls(
    shared: &Arc<Shared>,
    client: &ClientInfo,
    page: Page,
    response: Response,
) -> Response {
    if shared.warnings.was_logged(Warning::ForeignUrls)
        || response.status() != StatusCode::OK
        || response.headers().contains_key(CONTENT_ENCODING)
    {
        return response;
    }
    let Some(own) = client.origin(shared.settings.public_url.as_ref()) else { return response };
    let (parts, body) = response.into_parts();
    let software = Software::of(&parts.headers);
    let domains = Domains::of(&parts.headers, &own);
    let check = UrlCheck { shared: Arc::clone(shared), page, own, software, domains };
    Response::from_parts(parts, Body::new(CheckedBody { body, read: Vec::new(), check: Some(check) }))
}

/// A pending check of a body, and the facts for it from the response's headers.
struct UrlCheck {
    shared: Arc<Shared>,
    page: Page,
    own: Origin,
    software: Software,
    domains: Domains,
}

impl UrlCheck {
    fn run(self, body: &[u8]) {
        let settings = &self.shared.settings;
        let Some(url) = self.shared.dialect.url_in_page(self.page, body, &settings.upstream_base_path) else {
            return;
        };
        match compare_origins(&self.own, &url, &self.domains) {
            // With `public_url` one match is enough. Without it, the client's headers name this app's origin: a match
            // says nothing about the URLs for other clients, so later responses are checked too.
            OriginMatch::Own if settings.public_url.is_some() => {
                self.shared.warnings.mark_logged(Warning::ForeignUrls);
            }
            OriginMatch::Own | OriginMatch::Unknown => {}
            OriginMatch::Foreign(urls) => {
                if self.shared.warnings.mark_logged(Warning::ForeignUrls) {
                    warn_of_origin(&self.shared, self.software, &urls, &self.own);
                }
            }
        }
    }
}

/// Whether a URL of the upstream has this app's origin.
#[derive(Debug, PartialEq)]
pub(crate) enum OriginMatch {
    Own,
    Foreign(Origin),
    /// Not an http(s) URL, or a host that is right in the parent-domain deployment.
    Unknown,
}

/// Whether the cookies of a response are shared with this app by their `Domain`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Domains {
    /// At least one cookie has a `Domain` that includes this app's host.
    Shared,
    /// No cookie has a `Domain` that includes this app's host.
    HostOnly,
    /// The response sets no cookie.
    NoCookies,
}

impl Domains {
    pub(crate) fn of(headers: &HeaderMap, own: &Origin) -> Self {
        if !headers.contains_key(SET_COOKIE) {
            return Self::NoCookies;
        }
        let mut domains = headers.get_all(SET_COOKIE).iter().filter_map(domain);
        let shared = domains.any(|domain| is_in_domain(own.host(), domain));
        if shared { Self::Shared } else { Self::HostOnly }
    }
}

/// Compares the origin of a URL with this app's. In the parent-domain deployment a sibling host is right: cookies are
/// shared by their `Domain`. A response without cookies does not show whether that is the case.
pub(crate) fn compare_origins(own: &Origin, url: &str, domains: &Domains) -> OriginMatch {
    if url.starts_with('/') && !url.starts_with("//") {
        return OriginMatch::Own;
    }
    let Some(urls) = origin_of(url) else { return OriginMatch::Unknown };
    if urls.is_same(own) {
        return OriginMatch::Own;
    }
    let is_sibling =
        !urls.host().eq_ignore_ascii_case(own.host()) && common_domain(urls.host(), own.host()).is_some();
    match domains {
        Domains::Shared if is_sibling => OriginMatch::Own,
        Domains::NoCookies if is_sibling => OriginMatch::Unknown,
        _ => OriginMatch::Foreign(urls),
    }
}

/// The longest domain that both hosts are in, and that can have cookies.
pub(crate) fn common_domain<'h>(host: &'h str, other: &str) -> Option<&'h str> {
    parents(host).find(|parent| is_in_domain(other, parent))
}

/// The host and its parent domains, down to two labels: a top-level domain cannot have cookies.
fn parents(host: &str) -> impl Iterator<Item = &str> {
    let above = std::iter::successors(Some(host), |host| Some(host.split_once('.')?.1));
    above.filter(|domain| domain.contains('.'))
}

pub(crate) fn origin_of(url: &str) -> Option<Origin> {
    let uri: Uri = url.parse().ok()?;
    origin(&format!("{}://{}", uri.scheme_str()?, uri.authority()?)).ok()
}

/// A body that is checked at its end, or after `LIMIT` bytes.
struct CheckedBody {
    body: Body,
    read: Vec<u8>,
    check: Option<UrlCheck>,
}

impl http_body::Body for CheckedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else { return Poll::Pending };
        if self.check.is_some() {
            let data = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref());
            let left = LIMIT - self.read.len().min(LIMIT);
            let seen = data.map(|data| data.slice(..data.len().min(left))).unwrap_or_default();
            self.read.extend_from_slice(&seen);
            // The server does not poll a body of known length again after its last byte, so its end is seen here.
            if frame.is_none() || self.body.is_end_stream() || self.read.len() >= LIMIT {
                let read = std::mem::take(&mut self.read);
                if let Some(check) = self.check.take() {
                    check.run(&read);
                }
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Origin {
        origin(text).unwrap()
    }

    #[test]
    fn upstream_urls_of_another_origin_are_detected() {
        use Domains::{HostOnly, NoCookies, Shared};
        let app = "https://app.example.com";
        for (own, url, domains, foreign) in [
            (app, "https://app.example.com/api/auth/signin/a", NoCookies, Some(false)),
            (app, "https://APP.example.com:443/x", NoCookies, Some(false)),
            (app, "/api/auth/signin/a", NoCookies, Some(false)),
            (app, "http://localhost:3001/x", NoCookies, Some(true)),
            (app, "http://localhost:3001/x", Shared, Some(true)),
            (app, "http://app.example.com/x", NoCookies, Some(true)),
            (app, "https://app.example.com:3001/x", NoCookies, Some(true)),
            (app, "https://example.org/x", NoCookies, Some(true)),
            // Sibling hosts: they are right if the cookies are shared.
            (app, "https://auth.example.com/x", Shared, Some(false)),
            (app, "https://auth.example.com/x", HostOnly, Some(true)),
            (app, "https://auth.example.com/x", NoCookies, None),
            (app, "https://example.com/x", NoCookies, None),
            // IP addresses have no parent domain. Another port is another origin.
            ("http://127.0.0.1:3000", "http://127.0.0.1:3001/x", NoCookies, Some(true)),
            ("http://127.0.0.1:3000", "http://10.0.0.1:3000/x", NoCookies, Some(true)),
            ("http://localhost:3000", "http://localhost:3001/x", HostOnly, Some(true)),
            (app, "javascript:alert(1)", NoCookies, None),
            (app, "//evil.example/x", NoCookies, None),
            (app, "", NoCookies, None),
        ] {
            let found = match compare_origins(&at(own), url, &domains) {
                OriginMatch::Own => Some(false),
                OriginMatch::Foreign(urls) => Some(origin_of(url).is_some_and(|of| of == urls)),
                OriginMatch::Unknown => None,
            };
            assert_eq!(found, foreign, "{own} {url} {domains:?}");
        }
    }

    #[test]
    fn cookie_domain_decides_whether_cookies_are_shared() {
        for (cookies, domains) in [
            (&[][..], Domains::NoCookies),
            (&["a=b; Path=/"], Domains::HostOnly),
            (&["a=b; Path=/", "c=d; Domain=.example.com"], Domains::Shared),
            (&["c=d; Domain=example.org"], Domains::HostOnly),
        ] {
            let mut headers = HeaderMap::new();
            for cookie in cookies {
                headers.append(SET_COOKIE, cookie.parse().unwrap());
            }
            assert_eq!(Domains::of(&headers, &at("https://app.example.com")), domains, "{cookies:?}");
        }
    }
}
