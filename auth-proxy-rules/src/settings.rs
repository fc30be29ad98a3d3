use std::time::Duration;

use ipnet::IpNet;

use crate::draft::{CONNECT_TIMEOUT, TIMEOUT};
use crate::{
    BaseUrl, CookieDomain, Draft, Expected, Host, Kind, Known, Origin, Routes, Source, Strategy, TokenFormat,
    Unauthenticated, is_internal_host, lowered,
};

/// A whole configuration with every default applied. Holds no secret and no header value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where the routes live here, without a trailing `/`.
    pub base_path: String,
    /// This app's own origin, where it is configured.
    pub public_url: Option<Origin>,
    /// The hosts that this app answers to, besides those of the machine itself.
    pub hosts: Vec<String>,
    /// What runs at the upstream, where it is said.
    pub kind: Option<Kind>,
    /// Where the upstream is.
    pub base_url: BaseUrl,
    /// Where the routes live at the upstream, without a trailing `/`.
    pub upstream_base_path: String,
    /// The full names that the session cookie may have.
    pub cookie_names: CookieNames,
    /// How the upstream keeps sessions.
    pub strategy: Strategy,
    /// How session tokens are protected.
    pub token: TokenFormat,
    /// What `aud` of a token must say.
    pub audience: Expected,
    /// What `iss` of a token must say.
    pub issuer: Expected,
    /// Other origins that the upstream takes for its own.
    pub public_origins: Vec<Origin>,
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
    /// How old a token must be for the renewed one to be relayed; zero for always.
    pub renew: Duration,
    /// Whether page scripts may read the `sessionToken` of the database strategy.
    pub expose_session_token: bool,
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

    /// A name of the session cookie as the browser has it.
    #[must_use]
    pub fn browser_name<'n>(&self, name: &'n str) -> &'n str {
        lowered(name).filter(|_| self.rewrite.cookie_prefix).unwrap_or(name)
    }
}

/// The full names that the session cookie may have. Each is the salt of the key of its tokens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CookieNames {
    /// This one.
    One(String),
    /// The name with the prefix `__Secure-`, and without: which of them the upstream uses is not known.
    Either(String, String),
    /// The same, and the scheme of a request, as a trusted proxy tells it, decides.
    ByScheme(String, String),
}

impl CookieNames {
    fn pair(name: &str) -> (String, String) {
        (format!("__Secure-{name}"), name.to_owned())
    }

    /// Every name, the one with the prefix first.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let (first, second) = match self {
            Self::One(name) => (name, None),
            Self::Either(secure, plain) | Self::ByScheme(secure, plain) => (secure, Some(plain)),
        };
        [Some(first), second].into_iter().flatten().map(String::as_str)
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
        let kind = self.kind.value().copied();
        let trusted_proxies = or(&self.trusted_proxies, Vec::new);
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
            Some(public) if public.https => Some(true),
            Some(_) if !rewrite.cookie_prefix => Some(false),
            _ if host == Host::Upstream => Some(base_url.origin.https),
            Some(_) => Some(false),
            None if trusted_proxies.is_empty() => Some(false),
            None => None,
        };
        // An upstream whose kind is not said may be Robo, which never prefixes, on https too. Without the rewriting
        // of prefixes, a browser on http has no cookie with one.
        let secure_is_possible =
            public_url.as_ref().is_none_or(|public| public.https) || rewrite.cookie_prefix;
        Some(Settings {
            rewrite,
            upstream_base_path: or(&self.upstream_base_path, || base_path.clone()),
            cookie_names: match self.cookie_name.value() {
                Some(name) => CookieNames::One(name.clone()),
                None => default_cookie_names(kind, https, secure_is_possible),
            },
            hosts: or(&self.hosts, Vec::new),
            audience: or(&self.audience, || Expected::Any),
            issuer: or(&self.issuer, || Expected::Any),
            public_origins: or(&self.public_origins, Vec::new),
            renew: or(&self.renew, || Duration::ZERO),
            expose_session_token: or(&self.expose_session_token, || false),
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
            trusted_proxies,
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

/// `core/lib/utils/cookie.ts` of Auth.js v5 and v4; Robo never prefixes (`robo/utils/cookies.ts`). `https` is what the
/// upstream takes the scheme to be, where configuration tells.
fn default_cookie_names(kind: Option<Kind>, https: Option<bool>, secure_is_possible: bool) -> CookieNames {
    let name = match kind {
        None | Some(Kind::Robo | Kind::Authjs) => "authjs.session-token",
        Some(Kind::NextAuthV4) => "next-auth.session-token",
    };
    let (secure, plain) = CookieNames::pair(name);
    match (kind, https) {
        (None, _) if secure_is_possible => CookieNames::Either(secure, plain),
        (None | Some(Kind::Robo), _) | (_, Some(false)) => CookieNames::One(plain),
        (_, Some(true)) => CookieNames::One(secure),
        (_, None) => CookieNames::ByScheme(secure, plain),
    }
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
        let one = |name: &str| CookieNames::One(name.to_owned());
        for (kind, url, name) in [
            ("robo", "https://auth.example.com", "authjs.session-token"),
            ("authjs", "https://auth.example.com", "__Secure-authjs.session-token"),
            ("authjs", "http://localhost:3000", "authjs.session-token"),
            // An internal upstream sees this app's origin, which is http as far as is known.
            ("authjs", "https://auth.internal", "authjs.session-token"),
            ("next_auth_v4", "https://auth.example.com", "__Secure-next-auth.session-token"),
        ] {
            let settings = draft(&[(Opt::Kind, kind), (Opt::BaseUrl, url)]).resolve().unwrap();
            assert_eq!(settings.cookie_names, one(name), "{kind} {url}");
            assert_eq!(settings.browser_name(name), name, "{kind} {url}");
        }
        // An app on plain http, before a server on https: its cookies have their prefix, here they cannot.
        for (prefix, name, lowered) in [
            ("true", "__Secure-authjs.session-token", "_Secure-authjs.session-token"),
            ("false", "authjs.session-token", "authjs.session-token"),
        ] {
            let settings = draft(&[
                (Opt::Kind, "authjs"),
                (Opt::BaseUrl, "https://auth.example.com"),
                (Opt::PublicUrl, "http://localhost:3000"),
                (Opt::CookiePrefix, prefix),
            ])
            .resolve()
            .unwrap();
            assert_eq!((settings.cookie_names.clone(), settings.browser_name(name)), (one(name), lowered));
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
        assert_eq!(settings.cookie_names, one("__Secure-authjs.session-token"));
        assert_eq!(settings.host, Host::Preserve);
        assert_eq!(settings.upstream_base_path, "/login");
        assert_eq!(settings.sign_in_path, "/login/signin");
        assert_eq!(settings.connect_timeout, Duration::from_secs(1));
    }

    #[test]
    fn both_cookie_names_count_unless_the_kind_or_the_scheme_is_known() {
        let (secure, plain) = CookieNames::pair("authjs.session-token");
        let either = CookieNames::Either(secure.clone(), plain.clone());
        let by_scheme = CookieNames::ByScheme(secure, plain.clone());
        let plain = CookieNames::One(plain);
        let internal = (Opt::BaseUrl, "http://auth.internal");
        let https = (Opt::PublicUrl, "https://app.example.com");
        let http = (Opt::PublicUrl, "http://app.internal");
        let proxies = (Opt::TrustedProxies, "10.0.0.0/8");
        for (values, names) in [
            (&[internal][..], &either),
            (&[internal, https], &either),
            (&[internal, http], &either),
            (&[internal, http, (Opt::CookiePrefix, "false")], &plain),
            (&[internal, proxies], &either),
            (&[internal, proxies, (Opt::Kind, "authjs")], &by_scheme),
            (&[internal, proxies, (Opt::Kind, "robo")], &plain),
            (&[internal, proxies, http, (Opt::Kind, "authjs")], &plain),
        ] {
            assert_eq!(draft(values).resolve().unwrap().cookie_names, *names, "{values:?}");
        }
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
            (
                &[(Opt::BaseUrl, "http://auth"), (Opt::Token, "hs256"), (Opt::Issuer, "any")],
                Place::Option(Opt::Token),
            ),
            (
                &[(Opt::BaseUrl, "http://auth"), (Opt::Hosts, "a"), (Opt::PublicUrl, "https://a")],
                Place::Option(Opt::Hosts),
            ),
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
            let waived = [(Opt::Audience, "any"), (Opt::Issuer, "any")];
            let mut draft =
                draft(&[&[(Opt::BaseUrl, "http://auth"), (Opt::Token, token)], &waived[..]].concat());
            draft.add_secret(key).unwrap();
            assert_eq!(draft.check().is_empty(), good, "{token}");
        }
    }
}
