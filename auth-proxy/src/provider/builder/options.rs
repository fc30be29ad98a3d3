//! One method for each option of the block.

use std::time::Duration;

use auth_proxy_rules::Opt;
use zeroize::Zeroizing;

use super::Builder;
use crate::config::{
    CookieDomain, Expected, Host, Kind, Routes, Source, Strategy, TokenFormat, Unauthenticated,
};
use crate::provider::AuthProxy;
use crate::upstream::{DynFetch, Fetch};

impl<P: AuthProxy> Builder<P> {
    /// `base_path`: where the routes live in this app.
    #[must_use]
    pub fn base_path(self, path: impl Into<String>) -> Self {
        self.set(Opt::BasePath, path)
    }

    /// `public_url`: this app's own origin as browsers see it.
    #[must_use]
    pub fn public_url(self, url: impl Into<String>) -> Self {
        self.set(Opt::PublicUrl, url)
    }

    /// `hosts`: the hosts that this app has, with the port where one is in the address.
    #[must_use]
    pub fn hosts<T: AsRef<str>>(self, hosts: impl IntoIterator<Item = T>) -> Self {
        self.set_list(Opt::Hosts, hosts)
    }

    /// `upstream.kind`: what runs at the upstream. Without it both names that Auth.js gives the session cookie count.
    #[must_use]
    pub fn kind(self, kind: Kind) -> Self {
        self.set(Opt::Kind, kind.word())
    }

    /// `upstream.base_url`: where the upstream is.
    #[must_use]
    pub fn base_url(self, url: impl Into<String>) -> Self {
        self.set(Opt::BaseUrl, url)
    }

    /// `upstream.base_path`: where the routes live at the upstream.
    #[must_use]
    pub fn upstream_base_path(self, path: impl Into<String>) -> Self {
        self.set(Opt::UpstreamBasePath, path)
    }

    /// `upstream.headers`: adds a header to every request to the upstream, or replaces a declared one.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.overrides.headers.push((name.into(), Zeroizing::new(value.into())));
        self
    }

    /// `upstream.cookie_name`: the full name of the session cookie.
    #[must_use]
    pub fn cookie_name(self, name: impl Into<String>) -> Self {
        self.set(Opt::CookieName, name)
    }

    /// `upstream.secret`: the secrets, newest first. An empty list turns local decoding off.
    #[must_use]
    pub fn secrets<T: Into<String>>(mut self, secrets: impl IntoIterator<Item = T>) -> Self {
        let secrets = secrets.into_iter().map(|secret| Zeroizing::new(secret.into()));
        self.overrides.secrets = Some(secrets.collect());
        self
    }

    /// `upstream.session_strategy`: how the upstream keeps sessions.
    #[must_use]
    pub fn session_strategy(self, strategy: Strategy) -> Self {
        self.set(Opt::Strategy, strategy.word())
    }

    /// `upstream.token`: how session tokens are protected.
    #[must_use]
    pub fn token(self, format: TokenFormat) -> Self {
        self.set(Opt::Token, format.word())
    }

    /// `upstream.audience`: what `aud` of a token must say.
    #[must_use]
    pub fn audience(self, audience: Expected) -> Self {
        self.set(Opt::Audience, expected(audience))
    }

    /// `upstream.issuer`: what `iss` of a token must say.
    #[must_use]
    pub fn issuer(self, issuer: Expected) -> Self {
        self.set(Opt::Issuer, expected(issuer))
    }

    /// `upstream.public_origins`: other origins that the upstream takes for its own.
    #[must_use]
    pub fn public_origins<T: AsRef<str>>(self, origins: impl IntoIterator<Item = T>) -> Self {
        self.set_list(Opt::PublicOrigins, origins)
    }

    /// `upstream.host`: the `Host` that the upstream sees.
    #[must_use]
    pub fn host(self, host: Host) -> Self {
        let text = match host {
            Host::Auto => "auto".to_owned(),
            Host::Preserve => "preserve".to_owned(),
            Host::Upstream => "upstream".to_owned(),
            Host::Literal(host) => host,
        };
        self.set(Opt::Host, text)
    }

    /// `upstream.fetch`: what carries requests to the upstream.
    #[must_use]
    pub fn fetch(mut self, fetch: impl Fetch) -> Self {
        self.fetch = Some(DynFetch::new(fetch));
        self
    }

    /// `upstream.timeout`, in whole milliseconds.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        self.set(Opt::Timeout, format!("{}ms", timeout.as_millis()))
    }

    /// `upstream.connect_timeout`, in whole milliseconds.
    #[must_use]
    pub fn connect_timeout(self, timeout: Duration) -> Self {
        self.set(Opt::ConnectTimeout, format!("{}ms", timeout.as_millis()))
    }

    /// `upstream.body_limit`, in bytes.
    #[must_use]
    pub fn body_limit(self, bytes: u64) -> Self {
        self.set(Opt::BodyLimit, format!("{bytes}B"))
    }

    /// `upstream.allow_http`: lets plain http go to a public host.
    #[must_use]
    pub fn allow_http(self, allow: bool) -> Self {
        self.set(Opt::AllowHttp, allow.to_string())
    }

    /// `session.source`: where `Session` comes from.
    #[must_use]
    pub fn session_source(self, source: Source) -> Self {
        self.set(Opt::Source, source.word())
    }

    /// `session.cache`: how long a session is good without asking again, in whole milliseconds; zero for
    /// not at all.
    #[must_use]
    pub fn session_cache(self, keep: Duration) -> Self {
        self.set(Opt::Cache, lasting(keep))
    }

    /// `session.cache_entries`: how many sessions, and how many verified tokens, are remembered. One of more
    /// than 2 KiB counts for several.
    #[must_use]
    pub fn cache_entries(self, entries: u32) -> Self {
        self.set(Opt::CacheEntries, entries.to_string())
    }

    /// `session.stale_if_error`: how much longer they are good in an outage, in whole milliseconds.
    #[must_use]
    pub fn stale_if_error(self, keep: Duration) -> Self {
        self.set(Opt::StaleIfError, lasting(keep))
    }

    /// `session.renew`: how old a token must be, in whole milliseconds, for the one that the upstream renews it to be
    /// given to the browser; zero for always.
    #[must_use]
    pub fn session_renew(self, older_than: Duration) -> Self {
        let text =
            if older_than.is_zero() { "always".to_owned() } else { format!("{}ms", older_than.as_millis()) };
        self.set(Opt::Renew, text)
    }

    /// `session.expose_session_token`: whether page scripts may read the token of a database session.
    #[must_use]
    pub fn expose_session_token(self, expose: bool) -> Self {
        self.set(Opt::ExposeSessionToken, expose.to_string())
    }

    /// `upstream.concurrency`: how many lookups may be under way at the upstream at once.
    #[must_use]
    pub fn concurrency(self, lookups: u32) -> Self {
        self.set(Opt::Concurrency, lookups.to_string())
    }

    /// `upstream.queue`: how many more may wait for their turn; zero for none.
    #[must_use]
    pub fn queue(self, lookups: u32) -> Self {
        self.set(Opt::Queue, counted(lookups))
    }

    /// `upstream.retries`: how often what is safe to repeat is tried again; zero for never.
    #[must_use]
    pub fn retries(self, times: u32) -> Self {
        self.set(Opt::Retries, counted(times))
    }

    /// `upstream.circuit_breaker`: after how many confirmed failures in a row the upstream is left alone;
    /// zero for never.
    #[must_use]
    pub fn circuit_breaker(self, failures: u32) -> Self {
        self.set(Opt::CircuitBreaker, counted(failures))
    }

    /// `session.claims`: further claims that `session.user` shows with `session.source: local`, each under its own
    /// name. The names are whole: `"org.id"` is one claim, and no path. A name with a comma cannot be given here;
    /// see [`session_mapping`](Self::session_mapping).
    #[must_use]
    pub fn session_claims<T: AsRef<str>>(self, names: impl IntoIterator<Item = T>) -> Self {
        self.set_list(Opt::SessionClaims, names)
    }

    /// `unauthenticated`: what a guard answers to a visitor without a session.
    #[must_use]
    pub fn unauthenticated(self, answer: Unauthenticated) -> Self {
        self.set(Opt::Unauthenticated, answer.word())
    }

    /// `sign_in_path`: where visitors sign in.
    #[must_use]
    pub fn sign_in_path(self, path: impl Into<String>) -> Self {
        self.set(Opt::SignInPath, path)
    }

    /// `client_js`: whether the browser client is served at `{base_path}/client.js`.
    #[must_use]
    pub fn client_js(self, serve: bool) -> Self {
        self.set(Opt::ClientJs, serve.to_string())
    }

    /// `cors.origins`: pages of these other origins may use the sign-in routes.
    #[must_use]
    pub fn cors_origins<T: AsRef<str>>(self, origins: impl IntoIterator<Item = T>) -> Self {
        self.set_list(Opt::CorsOrigins, origins)
    }

    /// `trusted_proxies`: addresses and blocks of peers whose `X-Forwarded-*` headers count; their `Host`
    /// is not believed.
    #[must_use]
    pub fn trusted_proxies<T: AsRef<str>>(self, networks: impl IntoIterator<Item = T>) -> Self {
        self.set_list(Opt::TrustedProxies, networks)
    }

    /// `rewrite.location`: whether redirects to the upstream become redirects to this app.
    #[must_use]
    pub fn rewrite_location(self, rewrite: bool) -> Self {
        self.set(Opt::RewriteLocation, rewrite.to_string())
    }

    /// `rewrite.cookie_domain`: what becomes of the `Domain` of cookies.
    #[must_use]
    pub fn cookie_domain(self, domain: CookieDomain) -> Self {
        let text = match domain {
            CookieDomain::Auto => "auto".to_owned(),
            CookieDomain::Keep => "keep".to_owned(),
            CookieDomain::Drop => "drop".to_owned(),
            CookieDomain::Literal(domain) => domain,
        };
        self.set(Opt::CookieDomain, text)
    }

    /// `rewrite.cookie_path`: whether the `Path` of cookies follows `base_path`.
    #[must_use]
    pub fn cookie_path(self, rewrite: bool) -> Self {
        self.set(Opt::CookiePath, rewrite.to_string())
    }

    /// `rewrite.cookie_secure`: whether cookies lose `Secure` where `public_url` is http.
    #[must_use]
    pub fn cookie_secure(self, rewrite: bool) -> Self {
        self.set(Opt::CookieSecure, rewrite.to_string())
    }

    /// `rewrite.cookie_prefix`: whether they lose `__Secure-` and `__Host-` there.
    #[must_use]
    pub fn cookie_prefix(self, rewrite: bool) -> Self {
        self.set(Opt::CookiePrefix, rewrite.to_string())
    }

    /// `routes`: which paths below the base path are forwarded.
    #[must_use]
    pub fn routes(self, routes: Routes) -> Self {
        self.set(Opt::Routes, routes.word())
    }
}

fn expected(expected: Expected) -> String {
    match expected {
        Expected::Any => "any".to_owned(),
        // Quoted, so that no value that comes from elsewhere reads as the word that waives the check.
        Expected::Is(text) => format!("\"{text}\""),
    }
}

/// A count as the options take it.
fn counted(count: u32) -> String {
    if count == 0 { "off".to_owned() } else { count.to_string() }
}

/// A duration as the options take it.
fn lasting(keep: Duration) -> String {
    if keep.is_zero() { "off".to_owned() } else { format!("{}ms", keep.as_millis()) }
}
