//! Checks the rules between options, such as a secret for a database session.

mod kind;

use std::time::Duration;

use crate::base_url::BaseUrl;
use crate::choices::{Kind, RevocationList, Source, TokenFormat};
use crate::host::{is_in_domain, is_internal_host};
use crate::invalid_value::InvalidValue;
use crate::option::{BASE_PATH, Draft, OptionKey, TIMEOUT};
use crate::prefix::security_prefix;
use crate::problem::{Place, Problem};
use crate::secret::Pem;
use crate::setting::Setting;
use crate::words_or_text::CookieDomain;

impl Draft {
    /// Returns a problem for each broken rule between options, as far as the values are known.
    #[must_use]
    pub fn check(&self) -> Vec<Problem> {
        let mut problems = Problems(Vec::new());
        self.check_urls(&mut problems);
        self.check_cookie_name(&mut problems);
        self.check_cookie_domain(&mut problems);
        self.check_kind(&mut problems);
        self.check_secrets(&mut problems);
        self.check_timeouts(&mut problems);
        self.check_cache(&mut problems);
        self.check_signed(&mut problems);
        self.check_jwks(&mut problems);
        self.check_generic(&mut problems);
        self.check_hosts(&mut problems);
        self.check_webhook(&mut problems);
        self.check_back_channel(&mut problems);
        self.check_answers(&mut problems);
        self.check_claims(&mut problems);
        self.check_client_js(cfg!(feature = "client-js"), &mut problems);
        self.check_store(cfg!(feature = "redis"), &mut problems);
        problems.0
    }

    fn check_urls(&self, problems: &mut Problems) {
        if self.base_url == Setting::Unset && !self.is_generic() {
            problems.add(
                Place::Missing(OptionKey::BaseUrl),
                "`upstream.base_url` is missing: write `upstream: { base_url: env(\"AUTH_UPSTREAM_URL\") }`",
            );
        }
        if self.base_url == Setting::Optional {
            problems.add(
                Place::Option(OptionKey::BaseUrl),
                "`upstream.base_url` is required and cannot be `optional`: remove the word, or give a default",
            );
        }
        let Some(base) = self.base_url.value() else { return };
        if let Some(path) = self.known_upstream_base_path()
            && let Some(rest) = base.prefix.strip_suffix(path)
        {
            problems.0.push(Problem {
                place: Place::Option(OptionKey::BaseUrl),
                message: format!(
                    "the base path `{path}` is added to this URL, which must not end with it too"
                ),
                fixed: Some(BaseUrl { prefix: rest.to_owned(), ..base.clone() }.to_string()),
                others: &[],
            });
        }
        let allowed = self.allow_http.is_read_at_start() || self.allow_http == Setting::Set(true);
        if !base.origin.https && !allowed && !is_internal_host(base.origin.host()) {
            problems.add(
                Place::Option(OptionKey::BaseUrl),
                "plain http to a public host sends session cookies in the clear: \
                 write `https://`, or set `upstream.allow_http: true`",
            );
        }
    }

    /// Checks whether `upstream.fetch` can be set too, as far as `upstream.base_url` is known.
    ///
    /// # Errors
    /// As [`BaseUrl::check_fetch`].
    pub fn check_fetch(&self) -> Result<(), InvalidValue> {
        self.base_url.value().map_or(Ok(()), BaseUrl::check_fetch)
    }

    /// The path of the sign-in routes at the upstream. `None` if it is read from a variable at start.
    fn known_upstream_base_path(&self) -> Option<&str> {
        match (&self.upstream_base_path, &self.base_path) {
            (Setting::Set(path), _) | (Setting::Unset, Setting::Set(path)) => Some(path),
            (Setting::Unset, Setting::Unset) => Some(BASE_PATH),
            _ => None,
        }
    }

    fn check_cookie_name(&self, problems: &mut Problems) {
        let Some(name) = self.cookie_name.value() else { return };
        let Some(prefix) = security_prefix(name) else { return };
        let loses_prefix = self.cookie_prefix.is_read_at_start()
            || self.cookie_prefix.with_default(true) == Setting::Set(true);
        let plain_http = match (&self.public_url, &self.base_url) {
            // With `rewrite.cookie_prefix`, browsers get the cookie without its prefix.
            (Setting::Set(public), _) => !public.https && !loses_prefix,
            // A trusted proxy may report https in `X-Forwarded-Proto`.
            (Setting::Unset, Setting::Set(base)) => {
                !base.origin.https && self.trusted_proxies == Setting::Unset
            }
            _ => false,
        };
        if plain_http {
            let http_option =
                if self.public_url == Setting::Unset { "upstream.base_url" } else { "public_url" };
            problems.add(
                Place::Option(OptionKey::CookieName),
                format!(
                    "browsers keep a `{prefix}` cookie on https only, and `{http_option}` is http: \
                     drop the prefix, or set `public_url` to this app's https origin"
                ),
            );
        }
    }

    fn check_cookie_domain(&self, problems: &mut Problems) {
        let (Setting::Set(CookieDomain::Literal(domain)), Setting::Set(public)) =
            (&self.cookie_domain, &self.public_url)
        else {
            return;
        };
        if !is_in_domain(public.host(), domain) {
            problems.add(
                Place::Option(OptionKey::CookieDomain),
                format!(
                    "browsers refuse a cookie of `{domain}` from `{}`, the host of `public_url`: \
                     write that host or a domain above it",
                    public.host()
                ),
            );
        }
    }

    fn check_secrets(&self, problems: &mut Problems) {
        let database = self.is_database();
        if database && self.secrets.iter().any(|secret| *secret != Setting::Optional) {
            problems.add(
                Place::Option(OptionKey::Secret),
                "a database session has no token to decode: remove `upstream.secret`, \
                 or set `upstream.session_strategy: jwt`",
            );
        }
        if database && matches!(self.token, Setting::Set(_)) {
            problems.add(
                Place::Option(OptionKey::Token),
                "a database session has no token to decode: remove `upstream.token`, \
                 or set `upstream.session_strategy: jwt`",
            );
        }
        let is_jwks = self.effective_token() == Setting::Set(TokenFormat::Jwks);
        if self.source == Setting::Set(Source::Local) && self.kind != Setting::Set(Kind::BetterAuth) {
            if database {
                problems.add(
                    Place::Option(OptionKey::Source),
                    "a database session can only be read by the upstream: set `session.source: upstream`",
                );
            } else if self.secrets.is_empty() && !is_jwks {
                problems.add_beside(
                    OptionKey::Source,
                    &[OptionKey::Secret],
                    "`local` decodes session tokens and needs a key: \
                     add `upstream: { secret: env(\"AUTH_SECRET\") }`",
                );
            }
        }
        self.check_key_kind(problems);
    }

    fn check_key_kind(&self, problems: &mut Problems) {
        let Setting::Set(format) = self.effective_token() else { return };
        for (n, secret) in self.secrets.iter().enumerate() {
            let Some(secret) = secret.value() else { continue };

            let message = match (format.is_asymmetric(), secret.pem) {
                (_, Pem::Private) => format!(
                    "this is a private key: this app only verifies, give it the public key of `{format}` in PEM"
                ),
                (true, Pem::No) => format!(
                    "`upstream.token: {format}` needs the public key in PEM (`-----BEGIN PUBLIC KEY-----`)"
                ),
                (false, Pem::Public) => {
                    format!("this is a public key, which is no secret: `{format}` needs the shared secret")
                }
                _ => continue,
            };
            problems.add(Place::Secret(n), message);
        }
    }

    /// A signed token for another service verifies under the same key. Only `aud` and `iss` distinguish it from a
    /// session token (RFC 7519, sections 4.1.1 and 4.1.3; RFC 8725, section 3.9).
    fn check_signed(&self, problems: &mut Problems) {
        let Setting::Set(format) = self.effective_token() else { return };
        if !format.is_signed() || self.is_database() {
            return;
        }
        let place = if self.token == Setting::Unset { OptionKey::Kind } else { OptionKey::Token };

        for (option, claim, is_set) in [
            (OptionKey::Audience, "aud", self.audience != Setting::Unset),
            (OptionKey::Issuer, "iss", self.issuer != Setting::Unset),
        ] {
            if !is_set {
                let (key, example) = (option.key(), option.example());
                if format == TokenFormat::Jwks && option == OptionKey::Issuer {
                    problems.add(
                        Place::Option(place),
                        format!(
                            "`jwks` needs `{option}`, the issuer whose keys are published: add \
                             `upstream: {{ {key}: {example} }}`"
                        ),
                    );
                    continue;
                }
                problems.add(
                    Place::Option(place),
                    format!(
                        "`{format}` needs `{option}`, or a token with another `{claim}` under the same key would be a \
                         session here: add `upstream: {{ {key}: {example} }}`, or `{key}: any` to waive the check"
                    ),
                );
            }
        }
    }

    fn check_hosts(&self, problems: &mut Problems) {
        if matches!(self.public_url, Setting::Set(_)) && matches!(self.hosts, Setting::Set(_)) {
            problems.add(
                Place::Option(OptionKey::Hosts),
                "`public_url` decides the host already: remove `hosts`, or remove `public_url` where this app has several",
            );
        }
    }

    fn check_cache(&self, problems: &mut Problems) {
        let is_local = self.effective_source() == Setting::Set(Source::Local);
        let cache_is_off = self.cache.with_default(Duration::ZERO) == Setting::Set(Duration::ZERO);
        if cache_is_off && matches!(self.stale_if_error, Setting::Set(stale) if !stale.is_zero()) {
            problems.add(
                Place::Option(OptionKey::StaleIfError),
                "only a cached session can be used in an outage: add `session: { cache: 30s }`",
            );
        }
        if is_local && matches!(self.cache, Setting::Set(cache) if !cache.is_zero()) {
            problems.add(
                Place::Option(OptionKey::Cache),
                "`session.source: local` makes no lookups, so there is nothing to cache: remove `session.cache`",
            );
        }
    }

    fn check_claims(&self, problems: &mut Problems) {
        let named = matches!(&self.session_claims, Setting::Set(claims) if !claims.is_empty());
        if named && self.effective_source() == Setting::Set(Source::Upstream) {
            problems.add(
                Place::Option(OptionKey::SessionClaims),
                "`session.claims` is read with `session.source: local` only: the upstream's session callback \
                 says what its sessions show, so remove it here, or set `session.source: local`",
            );
        }
    }

    fn check_client_js(&self, is_compiled_in: bool, problems: &mut Problems) {
        if self.client_js == Setting::Set(true) && !is_compiled_in {
            problems.add(
                Place::Option(OptionKey::ClientJs),
                "the browser client is not compiled in: enable the feature `client-js` of axum-auth-proxy, \
                 or write `client_js: false`",
            );
        }
    }

    fn check_store(&self, is_compiled_in: bool, problems: &mut Problems) {
        if matches!(self.store, Setting::Unset) {
            return;
        }
        if !is_compiled_in {
            problems.add(
                Place::Option(OptionKey::Store),
                "the store is not compiled in: write `axum-auth-proxy = { .., features = [\"redis\"] }` in Cargo.toml",
            );
        }
        let cache_is_off = self.cache.with_default(Duration::ZERO) == Setting::Set(Duration::ZERO);
        let keeps_no_list =
            self.revocation.with_default(RevocationList::Off) == Setting::Set(RevocationList::Off);
        let counts = self.per_ip != Setting::Unset || self.per_account != Setting::Unset;
        if cache_is_off && keeps_no_list && !counts && matches!(self.store, Setting::Set(_)) {
            let is_local = self.effective_source() == Setting::Set(Source::Local);
            let message = if is_local {
                "there is nothing to store: `session.source: local` makes no lookups, so add `revocation: store`"
            } else {
                "there is nothing to store: add `session: { cache: 30s }`, or `revocation: store`"
            };
            let others: &[OptionKey] = if is_local {
                &[OptionKey::Source, OptionKey::Revocation]
            } else {
                &[OptionKey::Cache, OptionKey::Revocation]
            };
            problems.add_beside(OptionKey::Store, others, message);
        }
    }

    fn check_timeouts(&self, problems: &mut Problems) {
        if let (Setting::Set(connect), Setting::Set(total)) =
            (&self.connect_timeout, self.timeout.with_default(TIMEOUT))
            && *connect > total
        {
            problems.add(
                Place::Option(OptionKey::ConnectTimeout),
                "`connect_timeout` is part of `timeout` and cannot be longer: lower it, or raise `timeout`",
            );
        }
    }
}

struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, place: Place, message: impl Into<String>) {
        self.0.push(Problem { place, message: message.into(), fixed: None, others: &[] });
    }

    /// `others` are the options that can mend it too.
    fn add_beside(&mut self, option: OptionKey, others: &'static [OptionKey], message: impl Into<String>) {
        self.0.push(Problem { place: Place::Option(option), message: message.into(), fixed: None, others });
    }
}

mod answers;
mod jwks;
mod revocation;
#[cfg(test)]
mod tests;
