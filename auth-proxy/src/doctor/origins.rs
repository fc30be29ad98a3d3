//! Compares the origin of the upstream's URLs with this app's, and asks whether the upstream trusts this app's origin.

use auth_proxy_rules::{Host, Origin};
use bytes::Bytes;
use http::{Response, StatusCode};

use super::code::Code;
use super::finding::{Finding, Unchecked};
use super::location::Located;
use super::report::Deployment;
use super::visit::Visit;
use crate::cookie::received;
use crate::dialect::{self, Server, Software};
use crate::proxy::{Domains, OriginMatch, common_domain, compare_origins, origin_advice, origin_of};

const URLS: &str = "callback_urls";

/// What the upstream's URLs say.
pub(super) struct Urls {
    pub(super) deployment: Option<Deployment>,
    pub(super) result: Result<Option<Finding>, Unchecked>,
}

/// Compares the origin of the upstream's URLs with this app's, `own`. `answer` has a URL of the upstream, and `cookies` has
/// cookies of it.
pub(super) fn compare(
    visit: Visit<'_>,
    located: &Located,
    server: Server,
    own: Option<&Origin>,
    answer: Option<&Response<Bytes>>,
    cookies: Option<&Response<Bytes>>,
) -> Urls {
    let unknown = |reason: &str| Urls { deployment: None, result: Err(Unchecked::new(URLS, reason)) };
    let settings = &visit.shared.settings;
    let Some(own) = own else {
        return unknown("the origin of this app is not known: set `public_url`, or `hosts`");
    };
    let Some(answer) = answer else { return unknown("there was no answer in time") };
    let Some(url) = located.probes.url(answer, &located.base_path.base) else {
        return unknown("the answer of the server has no URL of its own: it has none without a provider");
    };
    // Without `public_url` the scheme comes with each request.
    let https = match (&settings.public_url, origin_of(&url)) {
        (None, Some(urls)) => urls.https,
        _ => own.https,
    };
    let own = &Origin { https, authority: own.authority.clone() };
    let domains = cookies.map_or(Domains::NoCookies, |cookies| Domains::of(cookies.headers(), own));
    let urls = match compare_origins(own, &url, &domains) {
        OriginMatch::Own => {
            let is_own_host = origin_of(&url).is_none_or(|urls| urls.is_same(own));
            let deployment = if is_own_host { Deployment::FrontDoor } else { Deployment::ParentDomain };
            return Urls { deployment: Some(deployment), result: Ok(None) };
        }
        OriginMatch::Unknown => {
            return unknown("the server sets no cookies that show whether it shares them with this app");
        }
        OriginMatch::Foreign(urls) => urls,
    };
    let evidence = format!("the server builds its URLs with {urls}, and the origin of this app is {own}");
    let shares =
        common_domain(urls.host(), own.host()).filter(|_| !urls.host().eq_ignore_ascii_case(own.host()));
    let finding = match shares {
        Some(domain) if matches!(settings.host, Host::Upstream | Host::Literal(_)) => {
            let given = cookies.map(|cookies| received(cookies.headers())).unwrap_or_default();
            let given = given.into_iter().find_map(|cookie| cookie.domain);
            let given = given.map_or("no `Domain`".to_owned(), |domain| format!("the `Domain` {domain}"));
            Finding::new(
                Code::COOKIES_NOT_SHARED,
                format!("{evidence}; its cookies have {given}"),
                format!(
                    "{}; or write `upstream.host: preserve`, if sign-ins are to end at this app",
                    server.domain_setting(domain)
                ),
            )
        }
        _ => {
            let dialect = dialect::of(Some(server.kind()));
            let software = Software::of(answer.headers());
            let advice = origin_advice(dialect, software, settings, &urls, own);
            Finding::new(Code::CALLBACK_ORIGIN_WRONG, evidence, advice)
        }
    };
    Urls { deployment: None, result: Ok(Some(finding)) }
}

/// Whether the upstream trusts this app's origin, if it checks that.
///
/// # Errors
/// The reason why that is unknown.
pub(super) async fn check_trust(
    visit: Visit<'_>,
    located: &Located,
    server: Server,
) -> Result<Option<Finding>, Unchecked> {
    let unknown = |reason: String| Unchecked::new("trusted_origins", reason);
    let Some(check) = located.probes.origin_check() else { return Ok(None) };
    let Some(own) = &visit.shared.settings.public_url else {
        return Err(unknown("the origin of this app is not known: set `public_url`".to_owned()));
    };
    let path = format!("{}{}", located.base_path.path(), check.path);
    let answer = visit.post_from(&path, own.to_string()).await;
    let answer = answer.map_err(|_| unknown("there was no answer in time".to_owned()))?;
    let refuses = dialect::of(Some(server.kind())).origin_refusal(answer.body()).is_some();
    match answer.status() {
        StatusCode::FORBIDDEN if refuses => Ok(Some(Finding::new(
            Code::ORIGIN_NOT_TRUSTED,
            format!("the server refuses a POST of a page of {own}"),
            (check.setting)(own),
        ))),
        status if status.is_success() => Ok(None),
        status => Err(unknown(format!("the answer to a POST is {status}"))),
    }
}
