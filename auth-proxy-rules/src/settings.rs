//! Resolves a [`Draft`] to [`Settings`], with the defaults that depend on several options.

use std::time::Duration;

use crate::base_url::BaseUrl;
use crate::choices::{Kind, Unauthenticated};
use crate::cookie_names::{Companion, CookieNames, companions};
use crate::host::is_internal_host;
use crate::option::{Derived, Draft, Settings, TIMEOUT};
use crate::prefix::without_security_prefix;
use crate::rewriting::Rewriting;
use crate::url::Origin;
use crate::words_or_text::{CookieDomain, Host};

/// The default of `upstream.connect_timeout`, unless `upstream.timeout` is shorter.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

impl Settings {
    /// The base paths of the sign-in routes in this app: `base_path`, and the upstream's if it is another one.
    pub fn bases(&self) -> impl Iterator<Item = &str> {
        let upstreams = (self.upstream_base_path != self.base_path).then_some(&self.upstream_base_path);
        [Some(&self.base_path), upstreams].into_iter().flatten().map(String::as_str)
    }

    /// Whether the upstream has sign-in routes. Otherwise it is asked for its keys only.
    #[must_use]
    pub fn has_sign_in(&self) -> bool {
        self.kind != Some(Kind::Generic)
    }

    /// The cookies that belong to the session cookie of this name at the upstream.
    #[must_use]
    pub fn companions(&self, session_cookie: &str) -> Vec<Companion> {
        companions(self.kind, session_cookie)
    }

    /// The name under which the browser has a session cookie of the upstream.
    #[must_use]
    pub fn browser_name<'n>(&self, name: &'n str) -> &'n str {
        without_security_prefix(name).filter(|_| self.rewrite.cookie_prefix).unwrap_or(name)
    }
}

impl Draft {
    /// Applies the defaults. `None` if a required option has no value.
    ///
    /// Call [`check`](Self::check) first: this method checks no rules.
    #[must_use]
    pub fn resolve(&self) -> Option<Settings> {
        let jwks_url = self.jwks_url.value().cloned();
        let base_url = match self.base_url.value() {
            Some(url) => url.clone(),
            // Nothing but the keys is ever fetched.
            None if self.is_generic() => {
                BaseUrl { origin: jwks_url.as_ref()?.origin.clone(), socket: None, prefix: String::new() }
            }
            None => return None,
        };
        let public_url = self.public_url.value().cloned();
        let kind = self.kind.value().copied();
        let host = host(self.host.or(|| Host::Auto), &base_url);
        let rewrite = self.rewriting(public_url.as_ref());
        let cookie_names = match self.cookie_name.value() {
            Some(name) => CookieNames::One(name.clone()),
            None => {
                let https = self.upstream_sees_https(&base_url, public_url.as_ref(), &host, &rewrite);
                // Without `upstream.kind` the upstream may be Robo, which never adds the prefix, not even on https. A
                // browser on http has no cookie with a prefix, unless prefixes are rewritten.
                let secure_is_possible =
                    public_url.as_ref().is_none_or(|public| public.https) || rewrite.cookie_prefix;
                CookieNames::defaults(kind, https, secure_is_possible)
            }
        };
        let timeout = self.timeout.or(|| TIMEOUT);
        // The default of `base_path` is in the table of options.
        let settings = self.with_defaults(Derived {
            public_url,
            kind,
            base_url,
            upstream_base_path: String::new(),
            cookie_names,
            strategy: self.effective_strategy().value().copied()?,
            token: self.effective_token().value().copied()?,
            host,
            connect_timeout: self.connect_timeout.or(|| CONNECT_TIMEOUT.min(timeout)),
            sign_in_path: String::new(),
            rewrite,
            store: self.store.value().cloned(),
            jwks_url,
            per_ip: self.per_ip.value().copied(),
            per_account: self.per_account.value().copied(),
        });
        Some(Settings {
            upstream_base_path: self.upstream_base_path.or(|| settings.base_path.clone()),
            sign_in_path: match self.sign_in_path.value() {
                Some(path) => path.clone(),
                None => self.default_sign_in_path(&settings.base_path)?,
            },
            source: self.effective_source().value().copied()?,
            unauthenticated: match self.unauthenticated.value() {
                // There is no sign-in to send a visitor to.
                None if self.is_generic() && self.sign_in_path.value().is_none() => Unauthenticated::Status,
                _ => settings.unauthenticated,
            },
            ..settings
        })
    }

    fn rewriting(&self, public_url: Option<&Origin>) -> Rewriting {
        let is_http = public_url.is_some_and(|public| !public.https);
        Rewriting {
            location: self.rewrite_location.or(|| true),
            cookie_domain: self.cookie_domain.or(|| CookieDomain::Auto),
            cookie_path: self.cookie_path.or(|| true),
            cookie_secure: is_http && self.cookie_secure.or(|| true),
            cookie_prefix: is_http && self.cookie_prefix.or(|| true),
        }
    }

    /// Whether the upstream sees its own URL as https. `None` if a trusted proxy reports the scheme with each request.
    ///
    /// The upstream takes the scheme of this app, or with `Host::Upstream` the scheme of its own URL.
    fn upstream_sees_https(
        &self,
        base_url: &BaseUrl,
        public_url: Option<&Origin>,
        host: &Host,
        rewrite: &Rewriting,
    ) -> Option<bool> {
        match public_url {
            Some(public) if public.https => Some(true),
            Some(_) if !rewrite.cookie_prefix => Some(false),
            _ if *host == Host::Upstream => Some(base_url.origin.https),
            Some(_) => Some(false),
            None if self.trusted_proxies.value().is_none_or(Vec::is_empty) => Some(false),
            None => None,
        }
    }
}

/// Replaces [`Host::Auto`]: an internal upstream sees this app's host, a public one its own.
fn host(host: Host, base_url: &BaseUrl) -> Host {
    match host {
        Host::Auto if is_internal_host(base_url.origin.host()) => Host::Preserve,
        Host::Auto => Host::Upstream,
        host => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OptionKey;

    fn draft(values: &[(OptionKey, &str)]) -> Draft {
        let mut draft = Draft::default();
        for (option, text) in values {
            draft.set(*option, text).unwrap();
        }
        draft
    }

    #[test]
    fn default_cookie_name_and_host_depend_on_kind_and_urls() {
        let one = |name: &str| CookieNames::One(name.to_owned());
        for (kind, url, name) in [
            ("robo", "https://auth.example.com", "authjs.session-token"),
            ("authjs", "https://auth.example.com", "__Secure-authjs.session-token"),
            ("authjs", "http://localhost:3000", "authjs.session-token"),
            // An internal upstream sees this app's origin, which is http unless `public_url` or a proxy says otherwise.
            ("authjs", "https://auth.internal", "authjs.session-token"),
            ("next_auth_v4", "https://auth.example.com", "__Secure-next-auth.session-token"),
        ] {
            let settings = draft(&[(OptionKey::Kind, kind), (OptionKey::BaseUrl, url)]).resolve().unwrap();
            assert_eq!(settings.cookie_names, one(name), "{kind} {url}");
            assert_eq!(settings.browser_name(name), name, "{kind} {url}");
        }
        // The upstream uses https and adds a prefix. This app uses http, where browsers accept no prefix.
        for (prefix, name, renamed) in [
            ("true", "__Secure-authjs.session-token", "_Secure-authjs.session-token"),
            ("false", "authjs.session-token", "authjs.session-token"),
        ] {
            let settings = draft(&[
                (OptionKey::Kind, "authjs"),
                (OptionKey::BaseUrl, "https://auth.example.com"),
                (OptionKey::PublicUrl, "http://localhost:3000"),
                (OptionKey::CookiePrefix, prefix),
            ])
            .resolve()
            .unwrap();
            assert_eq!((settings.cookie_names.clone(), settings.browser_name(name)), (one(name), renamed));
        }
        let settings = draft(&[
            (OptionKey::Kind, "authjs"),
            (OptionKey::BaseUrl, "http://auth.internal"),
            (OptionKey::PublicUrl, "https://app.example.com"),
            (OptionKey::BasePath, "/login/"),
            (OptionKey::Timeout, "1s"),
        ])
        .resolve()
        .unwrap();
        assert_eq!(settings.cookie_names, one("__Secure-authjs.session-token"));
        assert_eq!(settings.host, Host::Preserve);
        assert_eq!(settings.upstream_base_path, "/login");
        assert_eq!(settings.sign_in_path, "/login/signin");
        assert_eq!(settings.connect_timeout, Duration::from_secs(1));
    }

    #[test]
    fn both_cookie_names_are_accepted_unless_kind_or_scheme_is_known() {
        let (secure, plain) = CookieNames::pair("authjs.session-token");
        let either = CookieNames::Either(secure.clone(), plain.clone());
        let by_scheme = CookieNames::ByScheme(secure, plain.clone());
        let plain = CookieNames::One(plain);
        let internal = (OptionKey::BaseUrl, "http://auth.internal");
        let https = (OptionKey::PublicUrl, "https://app.example.com");
        let http = (OptionKey::PublicUrl, "http://app.internal");
        let proxies = (OptionKey::TrustedProxies, "10.0.0.0/8");
        for (values, names) in [
            (&[internal][..], &either),
            (&[internal, https], &either),
            (&[internal, http], &either),
            (&[internal, http, (OptionKey::CookiePrefix, "false")], &plain),
            (&[internal, proxies], &either),
            (&[internal, proxies, (OptionKey::Kind, "authjs")], &by_scheme),
            (&[internal, proxies, (OptionKey::Kind, "robo")], &plain),
            (&[internal, proxies, http, (OptionKey::Kind, "authjs")], &plain),
        ] {
            assert_eq!(draft(values).resolve().unwrap().cookie_names, *names, "{values:?}");
        }
    }
}
