//! Adapts the upstream's `Set-Cookie` lines to this app: name, `Domain`, `Path`, `Secure` and `SameSite`.

use auth_proxy_rules::{CookieDomain, Origin, Rewriting, Settings, is_in_domain, lacks_security_prefix};
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue};

use super::text::{Attribute, SetCookie};

/// Adapts `Set-Cookie` lines of the upstream to the origin that the browser sees, as the options in `rewrite` say.
pub(crate) struct CookieAdapter<'a> {
    upstream_base: &'a str,
    local_base: &'a str,
    /// The origin of this app, as the browser sees it.
    own: Option<Origin>,
    options: &'a Rewriting,
}

/// The change of one part of a `Set-Cookie` line.
enum Edit {
    Keep,
    Drop,
    Replace(Vec<u8>),
}

impl<'a> CookieAdapter<'a> {
    pub(crate) fn new(settings: &'a Settings, own: Option<Origin>) -> Self {
        Self {
            upstream_base: &settings.upstream_base_path,
            local_base: &settings.base_path,
            own,
            options: &settings.rewrite,
        }
    }

    /// Adapts every `Set-Cookie` line, in place and in order.
    pub(crate) fn adapt(&self, headers: &mut HeaderMap) {
        for (name, value) in headers.iter_mut() {
            if *name == SET_COOKIE
                && let Some(Ok(adapted)) =
                    self.adapted(value.as_bytes()).map(|line| HeaderValue::from_bytes(&line))
            {
                *value = adapted;
            }
        }
    }

    /// The adapted line. `None` if nothing changes.
    fn adapted(&self, line: &[u8]) -> Option<Vec<u8>> {
        let cookie = SetCookie::of(line);
        let attributes = cookie.attributes().map(|attribute| (attribute.raw, self.attribute(&attribute)));
        let edits: Vec<_> =
            std::iter::once((cookie.pair, self.pair(cookie.pair))).chain(attributes).collect();
        if edits.iter().all(|(_, edit)| matches!(edit, Edit::Keep)) {
            return None;
        }
        let parts = edits.into_iter().filter_map(|(raw, edit)| match edit {
            Edit::Keep => Some(raw.to_vec()),
            Edit::Drop => None,
            Edit::Replace(new) => Some(new),
        });
        Some(parts.collect::<Vec<_>>().join(&b';'))
    }

    /// Browsers refuse `__Secure-` and `__Host-` cookies over http (RFC 6265bis, section 4.1.3), so the name loses one
    /// underscore.
    fn pair(&self, pair: &[u8]) -> Edit {
        match pair.trim_ascii_start().strip_prefix(b"_") {
            Some(renamed) if self.options.cookie_prefix && lacks_security_prefix(renamed) => {
                Edit::Replace(renamed.to_vec())
            }
            _ => Edit::Keep,
        }
    }

    fn attribute(&self, Attribute { name, value, .. }: &Attribute<'_>) -> Edit {
        match name.to_ascii_lowercase().as_slice() {
            b"domain" => self.domain(value),
            b"path" => self.path(value),
            b"secure" if self.options.cookie_secure => Edit::Drop,
            // Browsers refuse `SameSite=None` without `Secure`.
            b"samesite" if self.options.cookie_secure && value.eq_ignore_ascii_case(b"none") => {
                Edit::Replace(b" SameSite=Lax".to_vec())
            }
            _ => Edit::Keep,
        }
    }

    fn path(&self, path: &[u8]) -> Edit {
        let is_moved = self.upstream_base != self.local_base && path == self.upstream_base.as_bytes();
        if !self.options.cookie_path || !is_moved {
            return Edit::Keep;
        }
        Edit::Replace(format!(" Path={}", self.local_base).into_bytes())
    }

    /// The `Domain` stays if this app's host is not known.
    fn domain(&self, domain: &[u8]) -> Edit {
        match &self.options.cookie_domain {
            CookieDomain::Keep => Edit::Keep,
            CookieDomain::Drop => Edit::Drop,
            CookieDomain::Literal(own) => Edit::Replace(format!(" Domain={own}").into_bytes()),
            CookieDomain::Auto | _ => match &self.own {
                Some(own) if !is_in_domain(own.host(), &String::from_utf8_lossy(domain)) => Edit::Drop,
                _ => Edit::Keep,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use auth_proxy_rules::{Draft, OptionKey};

    use super::*;

    /// The settings of an app at `own`, in front of an upstream at `upstream`.
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

    fn adapted(settings: &Settings, line: &[u8]) -> Option<String> {
        let adapter = CookieAdapter::new(settings, settings.public_url.clone());
        adapter.adapted(line).map(|line| String::from_utf8(line).unwrap())
    }

    #[test]
    fn cookies_are_adapted_to_the_origin_of_the_app() {
        let upstream = "https://auth.example.com";
        let https = settings(upstream, "https://app.example.com", &[]);
        let http = settings(upstream, "http://app.local:3000", &[]);
        for (settings, from, to) in [
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
            assert_eq!(adapted(settings, from.as_bytes()).as_deref(), to, "{from}");
        }
    }

    #[test]
    fn each_rewrite_option_changes_only_its_own_cookie_attribute() {
        let cookie = "__Host-a=b; Domain=auth.example.com; Path=/auth; Secure; SameSite=None";
        for (option, value, becomes) in [
            (OptionKey::CookieDomain, "auto", "_Host-a=b; Path=/api/login; SameSite=Lax"),
            (OptionKey::CookieDomain, "drop", "_Host-a=b; Path=/api/login; SameSite=Lax"),
            (
                OptionKey::CookieDomain,
                "keep",
                "_Host-a=b; Domain=auth.example.com; Path=/api/login; SameSite=Lax",
            ),
            (
                OptionKey::CookieDomain,
                ".example.org",
                "_Host-a=b; Domain=example.org; Path=/api/login; SameSite=Lax",
            ),
            (OptionKey::CookiePath, "false", "_Host-a=b; Path=/auth; SameSite=Lax"),
            (OptionKey::CookieSecure, "false", "_Host-a=b; Path=/api/login; Secure; SameSite=None"),
            (OptionKey::CookiePrefix, "false", "__Host-a=b; Path=/api/login; SameSite=Lax"),
        ] {
            let settings = settings("https://auth.example.com", "http://app.example.org", &[(option, value)]);
            assert_eq!(adapted(&settings, cookie.as_bytes()).as_deref(), Some(becomes), "{option}: {value}");
        }
    }
}
