//! Detects an OAuth sign-in whose callback goes to a host that lacks the sign-in's cookies. The redirect to the
//! provider names that host in `redirect_uri`.

use auth_proxy_rules::{Host, Origin, Settings, is_in_domain, is_internal_host};
use http::header::{LOCATION, SET_COOKIE};
use http::{HeaderMap, Uri};
use percent_encoding::percent_decode_str;

use crate::cookie::domain;
use crate::provider::Shared;

/// Whether a sign-in that starts with this response cannot be finished: the callback goes to the upstream's own host,
/// but the cookies that it needs (PKCE, state) belong to this app's host.
///
/// False in the parent-domain deployment, where the hosts share cookies by their `Domain`, and with
/// `AUTH_REDIRECT_PROXY_URL`, which names a third host.
pub(super) fn callback_misses_app(shared: &Shared, own: Option<&Origin>, headers: &HeaderMap) -> bool {
    is_missed(&shared.settings, shared.dialect.fixes_callback_host(), own, headers)
}

fn is_missed(settings: &Settings, is_fixed: bool, own: Option<&Origin>, headers: &HeaderMap) -> bool {
    let upstream = &settings.base_url.origin;
    let upstream_host = match &settings.host {
        Host::Literal(host) => host,
        // The upstream sees this app's host. If the callback has another host, AUTH_URL or a redirect proxy is
        // configured there.
        Host::Preserve if !is_fixed && !is_internal_host(upstream.host()) => return false,
        Host::Upstream | Host::Preserve | _ => &upstream.authority,
    };
    let (Some(own), Some(callback)) = (own, callback(headers)) else { return false };
    let Some(callback) = callback.authority() else { return false };
    let shared = headers.get_all(SET_COOKIE).iter().filter_map(domain);
    (is_fixed || callback.as_str().eq_ignore_ascii_case(upstream_host))
        && !callback.host().eq_ignore_ascii_case(own.host())
        && !shared.into_iter().any(|domain| is_in_domain(own.host(), domain))
}

/// The `redirect_uri` (RFC 6749, section 4.1.1) of a redirect to a provider.
fn callback(headers: &HeaderMap) -> Option<Uri> {
    let location = headers.get(LOCATION)?.to_str().ok()?;
    let query = location.split_once('?')?.1;
    let value = query.split('&').find_map(|pair| pair.strip_prefix("redirect_uri="))?;
    percent_decode_str(value).decode_utf8().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use auth_proxy_rules::{Draft, OptionKey};

    use super::*;

    #[test]
    fn callback_misses_the_app_when_its_host_lacks_the_cookies() {
        let idp = "https://idp.example/authorize?client_id=a&redirect_uri=";
        let auth = "https%3A%2F%2Fauth.example.com%2Fapi%2Fauth%2Fcallback%2Fgithub";
        let host_only = "authjs.state=x; Path=/";
        let shared = "authjs.state=x; Path=/; Domain=.example.com";
        for (host, upstream, own, callback, cookie, misses) in [
            ("upstream", "https://auth.example.com", "https://app.example.com", auth, host_only, true),
            ("auth.example.com", "http://10.0.0.7", "https://app.example.com", auth, host_only, true),
            ("upstream", "https://auth.example.com", "https://app.example.com", auth, shared, false),
            ("upstream", "https://auth.example.com", "https://app.example.org", auth, shared, true),
            // A redirect proxy, and this app itself.
            ("preserve", "http://auth.internal", "https://app.example.com", auth, host_only, false),
            ("upstream", "https://auth.example.com", "https://auth.example.com", auth, host_only, false),
            // An AUTH_URL that names the internal host.
            (
                "preserve",
                "http://auth.internal:3000",
                "https://app.example.com",
                "http://auth.internal:3000/x",
                host_only,
                true,
            ),
            (
                "upstream",
                "https://auth.example.com",
                "https://app.example.com",
                "invalid%ff",
                host_only,
                false,
            ),
        ] {
            let mut draft = Draft::default();
            for (option, text) in
                [(OptionKey::Host, host), (OptionKey::BaseUrl, upstream), (OptionKey::PublicUrl, own)]
            {
                draft.set(option, text).unwrap();
            }
            let settings = draft.resolve().unwrap();
            let mut headers = HeaderMap::new();
            headers.insert(LOCATION, format!("{idp}{callback}&state=y").parse().unwrap());
            headers.insert(SET_COOKIE, cookie.parse().unwrap());
            let own = settings.public_url.as_ref();
            assert_eq!(
                is_missed(&settings, false, own, &headers),
                misses,
                "{host} {upstream} {own:?} {cookie}"
            );
        }
    }
}
