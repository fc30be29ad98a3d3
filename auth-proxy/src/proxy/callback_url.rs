//! Makes a relative `callbackUrl` (the page after a sign-in or sign-out) absolute if the upstream sees another host
//! than this app's.

use auth_proxy_rules::{Host, Origin, Settings, is_local};
use http::{Method, Uri};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::dialect::Dialect;

/// The same URI with `callbackUrl=/path` as an absolute URL of this app, or `None` when there is nothing to change.
///
/// Auth.js resolves a relative `callbackUrl` against the host of the request (`docs/authjs.md#callback-url`). If that
/// is not this app's host, the visitor would end up at the upstream. Only links are changed, `GET signin` and `GET
/// signout`: forms pass unchanged, and the browser client sends absolute URLs. A callback is not changed: its query is
/// signed, or holds a one-time token.
///
/// Only a value that every browser reads as a path of this origin is changed. The rest of the query stays the same,
/// byte for byte.
pub(super) fn absolute(
    dialect: &dyn Dialect,
    uri: &Uri,
    rest: &str,
    method: &Method,
    settings: &Settings,
) -> Option<Uri> {
    let query = uri.query()?;
    if *method != Method::GET || !dialect.begins_sign_in(rest) {
        return None;
    }
    let query = rewritten(query, own_origin_if_different(settings)?)?;
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(format!("{}?{query}", uri.path()).parse().ok()?);
    Uri::from_parts(parts).ok()
}

/// This app's origin, if it is configured and the upstream sees another host.
fn own_origin_if_different(settings: &Settings) -> Option<&Origin> {
    let own = settings.public_url.as_ref()?;
    let upstream_host = match &settings.host {
        Host::Preserve => return None,
        Host::Literal(host) => host,
        Host::Upstream | _ => &settings.base_url.origin.authority,
    };
    let upstream_sees = Origin { https: own.https, authority: upstream_host.clone() };
    (!upstream_sees.is_same(own)).then_some(own)
}

fn rewritten(query: &str, own: &Origin) -> Option<String> {
    let mut changed = false;
    let pairs: Vec<String> = query
        .split('&')
        .map(|pair| match pair.strip_prefix("callbackUrl=") {
            Some(value) if is_local_once_decoded(value) => {
                changed = true;
                let origin = own.to_string();
                format!("callbackUrl={}{value}", utf8_percent_encode(&origin, NON_ALPHANUMERIC))
            }
            _ => pair.to_owned(),
        })
        .collect();
    changed.then(|| pairs.join("&"))
}

/// Whether the value is a local path once a server has decoded it (WHATWG URL, "application/x-www-form-urlencoded
/// parsing").
fn is_local_once_decoded(value: &str) -> bool {
    let spaced = value.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().is_ok_and(|target| is_local(&target))
}

#[cfg(test)]
mod tests {
    use auth_proxy_rules::{Draft, OptionKey};

    use super::*;

    fn settings(values: &[(OptionKey, &str)]) -> Settings {
        let mut draft = Draft::default();
        for (option, text) in values {
            draft.set(*option, text).unwrap();
        }
        draft.resolve().unwrap()
    }

    const PARENT: &[(OptionKey, &str)] = &[
        (OptionKey::BaseUrl, "https://auth.example.com"),
        (OptionKey::PublicUrl, "https://app.example.com:8443"),
    ];

    fn query(query: &str, rest: &str, settings: &Settings) -> Option<String> {
        let uri: Uri = format!("/api/auth{rest}?{query}").parse().unwrap();
        let changed = absolute(crate::dialect::of(None), &uri, rest, &Method::GET, settings)?;
        assert_eq!(changed.path(), uri.path());
        changed.query().map(str::to_owned)
    }

    #[test]
    fn local_callback_url_becomes_absolute() {
        let settings = settings(PARENT);
        let own = "https%3A%2F%2Fapp%2Eexample%2Ecom%3A8443";
        for (before, after) in [
            ("callbackUrl=/", "callbackUrl={own}/"),
            ("callbackUrl=%2F", "callbackUrl={own}%2F"),
            ("callbackUrl=%2fa%3Fb=c+d%26e", "callbackUrl={own}%2fa%3Fb=c+d%26e"),
            ("a=%41&&callbackUrl=/x&b=+&c", "a=%41&&callbackUrl={own}/x&b=+&c"),
            ("callbackUrl=/a//b", "callbackUrl={own}/a//b"),
            ("callbackUrl=/@evil.example", "callbackUrl={own}/@evil.example"),
            ("callbackUrl=/x&callbackUrl=//y", "callbackUrl={own}/x&callbackUrl=//y"),
            ("error=x&callbackUrl=/caf%C3%A9", "error=x&callbackUrl={own}/caf%C3%A9"),
        ] {
            let after = after.replace("{own}", own);
            assert_eq!(query(before, "/signin", &settings).as_deref(), Some(after.as_str()), "{before}");
        }
    }

    #[test]
    fn callback_urls_of_other_origins_stay_unchanged() {
        let settings = settings(PARENT);
        for value in [
            "",
            "a",
            "?a",
            "//evil.example",
            "/%2Fevil.example",
            "%2F%2Fevil.example",
            "/%5Cevil.example",
            "/%09/evil.example",
            "/%0a/evil.example",
            "/%7F",
            "%09//evil.example",
            "%20/x",
            "+/x",
            "%5C/evil.example",
            "%252Fx",
            "/%FF",
            "https://evil.example/",
            "https:%2F%2Fapp.example.com:8443/x",
            "javascript:alert(1)",
            ".evil.example",
            "@evil.example",
            ":80@evil.example",
        ] {
            assert_eq!(query(&format!("callbackUrl={value}"), "/signin", &settings), None, "{value}");
        }
        for other in ["callbackurl=/", "callback%55rl=/", "xcallbackUrl=/", "callbackUrl", "a=callbackUrl=/"]
        {
            assert_eq!(query(other, "/signin", &settings), None, "{other}");
        }
    }

    #[test]
    fn callback_url_is_changed_only_on_sign_in_and_sign_out_pages() {
        let settings = settings(PARENT);
        for (rest, changes) in [
            ("/signin", true),
            ("/signin/", true),
            ("/signin/github", true),
            ("/signout", true),
            ("/signinx", false),
            ("/callback/email", false),
            ("/session", false),
            ("/error", false),
        ] {
            assert_eq!(query("callbackUrl=/", rest, &settings).is_some(), changes, "{rest}");
        }
        let uri: Uri = "/api/auth/signin?callbackUrl=/".parse().unwrap();
        let absolute = |uri, method| absolute(crate::dialect::of(None), uri, "/signin", method, &settings);
        assert_eq!(absolute(&uri, &Method::POST), None);
        assert_eq!(absolute(&Uri::from_static("/api/auth/signin"), &Method::GET), None);
    }

    #[test]
    fn callback_url_is_changed_only_if_the_upstream_sees_another_host() {
        let public = (OptionKey::PublicUrl, "https://app.example.com");
        for (values, changes) in [
            (&[(OptionKey::BaseUrl, "https://auth.example.com"), public][..], true),
            (&[(OptionKey::BaseUrl, "https://auth.example.com")], false),
            (
                &[(OptionKey::BaseUrl, "https://auth.example.com"), public, (OptionKey::Host, "preserve")],
                false,
            ),
            (&[(OptionKey::BaseUrl, "http://auth.internal"), public], false),
            (&[(OptionKey::BaseUrl, "http://auth.internal"), public, (OptionKey::Host, "upstream")], true),
            (&[(OptionKey::BaseUrl, "http://10.0.0.7"), public, (OptionKey::Host, "auth.example.com")], true),
            (&[(OptionKey::BaseUrl, "http://10.0.0.7"), public, (OptionKey::Host, "app.example.com")], false),
            (
                &[(OptionKey::BaseUrl, "http://10.0.0.7"), public, (OptionKey::Host, "app.example.com:443")],
                false,
            ),
            (
                &[
                    (OptionKey::BaseUrl, "https://app.example.com/auth"),
                    public,
                    (OptionKey::Host, "upstream"),
                ],
                false,
            ),
        ] {
            assert_eq!(query("callbackUrl=/", "/signin", &settings(values)).is_some(), changes, "{values:?}");
        }
    }
}
