use std::time::Duration;

use ipnet::IpNet;

use crate::draft::{CONNECT_TIMEOUT, TIMEOUT};
use crate::{
    BaseUrl, CookieDomain, Draft, Host, Kind, Known, Origin, Routes, Source, Strategy, TokenFormat,
    Unauthenticated, is_internal_host, lowered,
};

/// A whole configuration with every default applied. Holds no secret and no header value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where the routes live here, without a trailing `/`.
    pub base_path: String,
    /// This app's own origin, where it is configured.
    pub public_url: Option<Origin>,
    /// What runs at the upstream.
    pub kind: Kind,
    /// Where the upstream is.
    pub base_url: BaseUrl,
    /// Where the routes live at the upstream, without a trailing `/`.
    pub upstream_base_path: String,
    /// The full name of the session cookie: also the salt of the token key.
    pub cookie_name: String,
    /// How the upstream keeps sessions.
    pub strategy: Strategy,
    /// How session tokens are protected.
    pub token: TokenFormat,
    /// The `Host` that the upstream sees; never [`Host::Auto`].
    pub host: Host,
    /// From the first byte sent to the head of the response.
    pub timeout: Duration,
    /// The part of `timeout` that may go into connecting.
    pub connect_timeout: Duration,
    /// Bytes that a request body may have.
    pub body_limit: u64,
    /// Where `Session` comes from.
    pub source: Source,
    /// How long a session that was looked up is good without asking again; zero for not at all.
    pub cache: Duration,
    /// How many sessions, and how many verified tokens, are remembered.
    pub cache_entries: u32,
    /// How much longer a remembered session is good while the upstream is in trouble.
    pub stale_if_error: Duration,
    /// The further claims that a session of a token shows.
    pub session_claims: Vec<String>,
    /// Lookups that are under way at the upstream at once.
    pub concurrency: u32,
    /// Lookups that may wait for their turn.
    pub queue: u32,
    /// How often what is safe to repeat is tried again.
    pub retries: u32,
    /// After how many failures in a row the upstream is left alone for a while; zero for never.
    pub circuit_breaker: u32,
    /// What a guard answers to a visitor without a session.
    pub unauthenticated: Unauthenticated,
    /// Where visitors sign in.
    pub sign_in_path: String,
    /// Whether the browser client is served.
    pub client_js: bool,
    /// Pages of which other origins may use the sign-in routes, with credentials.
    pub cors_origins: Vec<Origin>,
    /// Whose word on forwarding counts.
    pub trusted_proxies: Vec<IpNet>,
    /// What of a response is turned from the upstream's into this app's.
    pub rewrite: Rewriting,
    /// Which paths are forwarded.
    pub routes: Routes,
}

/// What of a response is turned from the upstream's into this app's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewriting {
    /// `Location`, and the `{"url": ..}` that clients get in its place.
    pub location: bool,
    /// The `Domain` of cookies.
    pub cookie_domain: CookieDomain,
    /// The `Path` of cookies, where the base paths differ.
    pub cookie_path: bool,
    /// `Secure` and `SameSite=None` of cookies. Only ever true where `public_url` is http.
    pub cookie_secure: bool,
    /// The `__Secure-` and `__Host-` of their names. Only ever true where `public_url` is http.
    pub cookie_prefix: bool,
}

impl Settings {
    /// The paths that the sign-in routes are served below: `base_path`, and the upstream's where that
    /// is another one.
    pub fn bases(&self) -> impl Iterator<Item = &str> {
        let upstreams = (self.upstream_base_path != self.base_path).then_some(&self.upstream_base_path);
        [Some(&self.base_path), upstreams].into_iter().flatten().map(String::as_str)
    }

    /// The session cookie's name at the browser, where that is not [`cookie_name`](Self::cookie_name).
    #[must_use]
    pub fn lowered_cookie_name(&self) -> Option<&str> {
        lowered(&self.cookie_name).filter(|_| self.rewrite.cookie_prefix)
    }
}

impl Draft {
    /// Applies the defaults. `None` while a required option is not known.
    ///
    /// Call [`check`](Self::check) first: this proves nothing.
    #[must_use]
    pub fn resolve(&self) -> Option<Settings> {
        let base_url = self.base_url.value()?.clone();
        let base_path = or(&self.base_path, || "/api/auth".to_owned());
        let public_url = self.public_url.value().cloned();
        let kind = or(&self.kind, || Kind::Robo);
        let timeout = or(&self.timeout, || TIMEOUT);
        let host = match or(&self.host, || Host::Auto) {
            Host::Auto if is_internal_host(base_url.origin.host()) => Host::Preserve,
            Host::Auto => Host::Upstream,
            host => host,
        };
        let plain_http = public_url.as_ref().is_some_and(|public| !public.https);
        let rewrite = Rewriting {
            location: or(&self.rewrite_location, || true),
            cookie_domain: or(&self.cookie_domain, || CookieDomain::Auto),
            cookie_path: or(&self.cookie_path, || true),
            cookie_secure: plain_http && or(&self.cookie_secure, || true),
            cookie_prefix: plain_http && or(&self.cookie_prefix, || true),
        };
        // Whether the upstream takes itself to be asked over https, as far as configuration tells: as this
        // app is, or under its own name as its URL says.
        let https = match &public_url {
            Some(public) if public.https => true,
            Some(_) if !rewrite.cookie_prefix => false,
            _ => host == Host::Upstream && base_url.origin.https,
        };
        Some(Settings {
            rewrite,
            upstream_base_path: or(&self.upstream_base_path, || base_path.clone()),
            cookie_name: or(&self.cookie_name, || default_cookie_name(kind, https)),
            strategy: or(&self.strategy, || Strategy::Jwt),
            token: self.effective_token().value().copied()?,
            timeout,
            connect_timeout: or(&self.connect_timeout, || CONNECT_TIMEOUT.min(timeout)),
            body_limit: or(&self.body_limit, || 1 << 20),
            source: or(&self.source, || Source::Upstream),
            cache: or(&self.cache, || Duration::ZERO),
            cache_entries: or(&self.cache_entries, || 10_000),
            stale_if_error: or(&self.stale_if_error, || Duration::ZERO),
            session_claims: or(&self.session_claims, Vec::new),
            concurrency: or(&self.concurrency, || 128),
            queue: or(&self.queue, || 1_000),
            retries: or(&self.retries, || 2),
            circuit_breaker: or(&self.circuit_breaker, || 5),
            unauthenticated: or(&self.unauthenticated, || Unauthenticated::Auto),
            sign_in_path: or(&self.sign_in_path, || format!("{base_path}/signin")),
            client_js: or(&self.client_js, || true),
            cors_origins: or(&self.cors_origins, Vec::new),
            trusted_proxies: or(&self.trusted_proxies, Vec::new),
            routes: or(&self.routes, || Routes::All),
            base_path,
            public_url,
            kind,
            base_url,
            host,
        })
    }
}

fn or<T: Clone>(known: &Known<T>, default: impl FnOnce() -> T) -> T {
    known.value().cloned().unwrap_or_else(default)
}

/// `core/lib/utils/cookie.ts` of Auth.js v5 and v4; Robo never prefixes (`robo/utils/cookies.ts`).
fn default_cookie_name(kind: Kind, https: bool) -> String {
    let name = match kind {
        Kind::Robo | Kind::Authjs => "authjs.session-token",
        Kind::NextAuthV4 => "next-auth.session-token",
    };
    let prefix = if https && kind != Kind::Robo { "__Secure-" } else { "" };
    format!("{prefix}{name}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Opt, Place};

    fn draft(values: &[(Opt, &str)]) -> Draft {
        let mut draft = Draft::default();
        for (option, text) in values {
            draft.set(*option, text).unwrap();
        }
        draft
    }

    #[test]
    fn defaults_follow_the_kind_and_the_urls() {
        for (kind, url, name) in [
            ("robo", "https://auth.example.com", "authjs.session-token"),
            ("authjs", "https://auth.example.com", "__Secure-authjs.session-token"),
            ("authjs", "http://localhost:3000", "authjs.session-token"),
            // An internal upstream sees this app's origin, which is http as far as is known.
            ("authjs", "https://auth.internal", "authjs.session-token"),
            ("next_auth_v4", "https://auth.example.com", "__Secure-next-auth.session-token"),
        ] {
            let settings = draft(&[(Opt::Kind, kind), (Opt::BaseUrl, url)]).resolve().unwrap();
            assert_eq!(settings.cookie_name, name, "{kind} {url}");
            assert_eq!(settings.lowered_cookie_name(), None, "{kind} {url}");
        }
        // An app on plain http, before a server on https: its cookies have their prefix, here they cannot.
        for (prefix, name, lowered) in [
            ("true", "__Secure-authjs.session-token", Some("_Secure-authjs.session-token")),
            ("false", "authjs.session-token", None),
        ] {
            let settings = draft(&[
                (Opt::Kind, "authjs"),
                (Opt::BaseUrl, "https://auth.example.com"),
                (Opt::PublicUrl, "http://localhost:3000"),
                (Opt::CookiePrefix, prefix),
            ])
            .resolve()
            .unwrap();
            assert_eq!((settings.cookie_name.as_str(), settings.lowered_cookie_name()), (name, lowered));
        }
        let settings = draft(&[
            (Opt::Kind, "authjs"),
            (Opt::BaseUrl, "http://auth.internal"),
            (Opt::PublicUrl, "https://app.example.com"),
            (Opt::BasePath, "/login/"),
            (Opt::Timeout, "1s"),
        ])
        .resolve()
        .unwrap();
        assert_eq!(settings.cookie_name, "__Secure-authjs.session-token");
        assert_eq!(settings.host, Host::Preserve);
        assert_eq!(settings.upstream_base_path, "/login");
        assert_eq!(settings.sign_in_path, "/login/signin");
        assert_eq!(settings.connect_timeout, Duration::from_secs(1));
    }

    #[test]
    fn every_rule_across_options() {
        let cases: &[(&[(Opt, &str)], Place)] = &[
            (&[(Opt::BaseUrl, "http://auth.example.com")], Place::Option(Opt::BaseUrl)),
            (
                &[(Opt::BaseUrl, "http://auth"), (Opt::CookieName, "__Secure-a")],
                Place::Option(Opt::CookieName),
            ),
            (
                &[
                    (Opt::BaseUrl, "https://auth.example.com"),
                    (Opt::PublicUrl, "http://app.example.com"),
                    (Opt::CookieName, "__Host-a"),
                    (Opt::CookiePrefix, "false"),
                ],
                Place::Option(Opt::CookieName),
            ),
            (
                &[
                    (Opt::BaseUrl, "https://auth.example.com"),
                    (Opt::PublicUrl, "https://app.example.org"),
                    (Opt::CookieDomain, "example.com"),
                ],
                Place::Option(Opt::CookieDomain),
            ),
            (
                &[(Opt::BaseUrl, "http://auth"), (Opt::ConnectTimeout, "11s")],
                Place::Option(Opt::ConnectTimeout),
            ),
            (&[(Opt::BaseUrl, "http://auth"), (Opt::Source, "local")], Place::Option(Opt::Source)),
            (
                &[(Opt::BaseUrl, "http://auth"), (Opt::Strategy, "database"), (Opt::Token, "hs256")],
                Place::Option(Opt::Token),
            ),
            (&[(Opt::Kind, "robo")], Place::Missing(Opt::BaseUrl)),
            (&[(Opt::BaseUrl, "http://auth"), (Opt::StaleIfError, "5m")], Place::Option(Opt::StaleIfError)),
            (&[(Opt::BaseUrl, "http://auth"), (Opt::SessionClaims, "a")], Place::Option(Opt::SessionClaims)),
        ];
        for (values, place) in cases {
            let found = draft(values).check();
            assert_eq!(found.iter().map(|p| p.place).collect::<Vec<_>>(), [*place], "{values:?}");
        }
        let mut secret = draft(&[(Opt::BaseUrl, "http://auth"), (Opt::Strategy, "database")]);
        secret.set_later(Opt::Secret, true);
        assert_eq!(secret.check(), []);
        secret.set_later(Opt::Secret, false);
        assert_eq!(secret.check().len(), 1);
    }

    #[test]
    fn keys_must_fit_the_format() {
        let public = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
        let private = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        for (token, key, good) in [
            ("encrypted", "a shared secret", true),
            ("encrypted", public, false),
            ("es256", public, true),
            ("es256", private, false),
            ("es256", "a shared secret", false),
            ("hs256", public, false),
        ] {
            let mut draft = draft(&[(Opt::BaseUrl, "http://auth"), (Opt::Token, token)]);
            draft.add_secret(key).unwrap();
            assert_eq!(draft.check().is_empty(), good, "{token}");
        }
    }
}
