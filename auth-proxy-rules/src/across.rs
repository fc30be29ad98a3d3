//! The rules that span several options.

use std::time::Duration;

use crate::draft::TIMEOUT;
use crate::{
    CookieDomain, Draft, Known, Opt, Pem, Place, Problem, Source, Strategy, is_in_domain, is_internal_host,
};

impl Draft {
    /// Every rule that spans several options and is broken by what is known so far.
    #[must_use]
    pub fn check(&self) -> Vec<Problem> {
        let mut found = Problems(Vec::new());
        self.check_urls(&mut found);
        self.check_cookie_name(&mut found);
        self.check_cookie_domain(&mut found);
        self.check_secrets(&mut found);
        self.check_timeouts(&mut found);
        self.check_cache(&mut found);
        self.check_signed(&mut found);
        self.check_hosts(&mut found);
        self.check_claims(&mut found);
        found.0
    }

    fn check_urls(&self, found: &mut Problems) {
        if self.base_url == Known::Unset {
            found.add(
                Place::Missing(Opt::BaseUrl),
                "`upstream.base_url` is missing: write `upstream: { base_url: env(\"AUTH_UPSTREAM_URL\") }`",
            );
        }
        if self.base_url == Known::Maybe {
            found.add(
                Place::Option(Opt::BaseUrl),
                "`upstream.base_url` is required and cannot be `optional`: remove the word, or give a default",
            );
        }
        let Some(base) = self.base_url.value() else { return };
        let allowed = self.allow_http.is_later() || self.allow_http == Known::Is(true);
        if !base.origin.https && !allowed && !is_internal_host(base.origin.host()) {
            found.add(
                Place::Option(Opt::BaseUrl),
                "plain http to a public host sends session cookies in the clear: \
                 write `https://`, or set `upstream.allow_http: true`",
            );
        }
    }

    fn check_cookie_name(&self, found: &mut Problems) {
        let Some(name) = self.cookie_name.value() else { return };
        let Some(prefix) = ["__Secure-", "__Host-"].into_iter().find(|p| name.starts_with(p)) else {
            return;
        };
        let renamed = self.cookie_prefix.is_later() || self.cookie_prefix.value_or(true) == Known::Is(true);
        let plain_http = match (&self.public_url, &self.base_url) {
            // Browsers get it under another name then.
            (Known::Is(public), _) => !public.https && !renamed,
            // A trusted proxy may say that a request came over https.
            (Known::Unset, Known::Is(base)) => !base.origin.https && self.trusted_proxies == Known::Unset,
            _ => false,
        };
        if plain_http {
            let whose = if self.public_url == Known::Unset { "upstream.base_url" } else { "public_url" };
            found.add(
                Place::Option(Opt::CookieName),
                format!(
                    "browsers keep a `{prefix}` cookie on https only, and `{whose}` is http: \
                     drop the prefix, or set `public_url` to this app's https origin"
                ),
            );
        }
    }

    fn check_cookie_domain(&self, found: &mut Problems) {
        let (Known::Is(CookieDomain::Literal(domain)), Known::Is(public)) =
            (&self.cookie_domain, &self.public_url)
        else {
            return;
        };
        if !is_in_domain(public.host(), domain) {
            found.add(
                Place::Option(Opt::CookieDomain),
                format!(
                    "browsers refuse a cookie of `{domain}` from `{}`, the host of `public_url`: \
                     write that host or a domain above it",
                    public.host()
                ),
            );
        }
    }

    fn check_secrets(&self, found: &mut Problems) {
        let database = self.strategy == Known::Is(Strategy::Database);
        if database && self.secrets.iter().any(|secret| *secret != Known::Maybe) {
            found.add(
                Place::Option(Opt::Secret),
                "a database session has no token to decode: remove `upstream.secret`, \
                 or set `upstream.session_strategy: jwt`",
            );
        }
        if database && matches!(self.token, Known::Is(_)) {
            found.add(
                Place::Option(Opt::Token),
                "a database session has no token to decode: remove `upstream.token`, \
                 or set `upstream.session_strategy: jwt`",
            );
        }
        if self.source == Known::Is(Source::Local) {
            if database {
                found.add(
                    Place::Option(Opt::Source),
                    "a database session can only be read by the upstream: set `session.source: upstream`",
                );
            } else if self.secrets.is_empty() {
                found.add(
                    Place::Option(Opt::Source),
                    "`local` decodes session tokens and needs a key: \
                     add `upstream: { secret: env(\"AUTH_SECRET\") }`",
                );
            }
        }
        self.check_key_kind(found);
    }

    fn check_key_kind(&self, found: &mut Problems) {
        let Known::Is(format) = self.effective_token() else { return };
        for (n, secret) in self.secrets.iter().enumerate() {
            let Some(secret) = secret.value() else { continue };
            let word = format.word();
            let message = match (format.is_asymmetric(), secret.pem) {
                (_, Pem::Private) => format!(
                    "this is a private key: this app only verifies, give it the public key of `{word}` in PEM"
                ),
                (true, Pem::No) => format!(
                    "`upstream.token: {word}` needs the public key in PEM (`-----BEGIN PUBLIC KEY-----`)"
                ),
                (false, Pem::Public) => {
                    format!("this is a public key, which everybody knows: `{word}` needs the shared secret")
                }
                _ => continue,
            };
            found.add(Place::Secret(n), message);
        }
    }

    /// A signed token for another service verifies under the same key: only `aud` and `iss` tell it from a session
    /// (RFC 7519, sections 4.1.1 and 4.1.3; RFC 8725, section 3.9).
    fn check_signed(&self, found: &mut Problems) {
        let Known::Is(format) = self.token else { return };
        if !format.is_signed() || self.strategy == Known::Is(Strategy::Database) {
            return;
        }
        let word = format.word();
        for (option, claim, is_set) in [
            (Opt::Audience, "aud", self.audience != Known::Unset),
            (Opt::Issuer, "iss", self.issuer != Known::Unset),
        ] {
            if !is_set {
                let (key, example) = (option.key(), option.example());
                found.add(
                    Place::Option(Opt::Token),
                    format!(
                        "`{word}` needs `{option}`, or a token with another `{claim}` under the same key would be a \
                         session here: add `upstream: {{ {key}: {example} }}`, or `{key}: any` to waive the check"
                    ),
                );
            }
        }
    }

    fn check_hosts(&self, found: &mut Problems) {
        if matches!(self.public_url, Known::Is(_)) && matches!(self.hosts, Known::Is(_)) {
            found.add(
                Place::Option(Opt::Hosts),
                "`public_url` decides the host already: remove `hosts`, or remove `public_url` where this app has several",
            );
        }
    }

    fn check_cache(&self, found: &mut Problems) {
        let off =
            |known: &Known<Duration>| matches!(known.value_or(Duration::ZERO), Known::Is(Duration::ZERO));
        if off(&self.cache) && matches!(self.stale_if_error, Known::Is(stale) if !stale.is_zero()) {
            found.add(
                Place::Option(Opt::StaleIfError),
                "only a session that is remembered can be used in an outage: add `session: { cache: 30s }`",
            );
        }
        if self.source == Known::Is(Source::Local)
            && matches!(self.cache, Known::Is(cache) if !cache.is_zero())
        {
            found.add(
                Place::Option(Opt::Cache),
                "`session.source: local` asks nobody, so that there is no answer to remember: remove `session.cache`",
            );
        }
    }

    fn check_claims(&self, found: &mut Problems) {
        let named = matches!(&self.session_claims, Known::Is(claims) if !claims.is_empty());
        if named && self.source.value_or(Source::Upstream) == Known::Is(Source::Upstream) {
            found.add(
                Place::Option(Opt::SessionClaims),
                "`session.claims` is read with `session.source: local` only: the upstream's session callback \
                 says what its sessions show, so remove it here, or set `session.source: local`",
            );
        }
    }

    fn check_timeouts(&self, found: &mut Problems) {
        if let (Known::Is(connect), Known::Is(total)) =
            (&self.connect_timeout, self.timeout.value_or(TIMEOUT))
            && *connect > total
        {
            found.add(
                Place::Option(Opt::ConnectTimeout),
                "`connect_timeout` is part of `timeout` and cannot be longer: lower it, or raise `timeout`",
            );
        }
    }
}

struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, place: Place, message: impl Into<String>) {
        self.0.push(Problem { place, message: message.into() });
    }
}
