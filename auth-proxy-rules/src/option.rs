//! The table of options. To add one, add a row here, a row to the table in the README, and a test.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use ipnet::IpNet;

use crate::algorithms::{DEFAULT_ALGORITHMS, signature_algorithms};
use crate::base_url::{BaseUrl, base_url};
use crate::choices::{
    AnswerSession, Kind, RevocationList, RevocationUnavailable, Routes, Source, StoreUnavailable, Strategy,
    TokenFormat, Unauthenticated,
};
use crate::claims::claim_names;
use crate::cookie_names::CookieNames;
use crate::fields::{ACCOUNT_FIELDS, account_fields};
use crate::group::Group;
use crate::header::cookie_name;
use crate::invalid_value::InvalidValue;
use crate::lists::{cors_origins, hosts, networks, public_origins};
use crate::option_macro::options;
use crate::rate::{Rate, rate};
use crate::rewriting::Rewriting;
use crate::rule::{
    Counts, Durations, List, Names, Path, Rule, Sizes, Store, Switch, Text, Word, WordOrText, Zero,
};
use crate::secret::SecretInfo;
use crate::setting::Setting;
use crate::shape::Shape;
use crate::store_url::StoreUrl;
use crate::url::{Endpoint, Origin, endpoint, origin};
use crate::words_or_text::{CookieDomain, Expected, Host};

const SHORTEST: Duration = Duration::from_millis(10);
const REQUEST_TIME: Durations =
    Durations { bounds: SHORTEST..=Duration::from_secs(600), zero: Zero::Refused };
const CACHE_TIME: Durations = Durations { bounds: SHORTEST..=Duration::from_secs(3600), zero: Zero::Off };
const STALE_TIME: Durations =
    Durations { bounds: SHORTEST..=Duration::from_secs(24 * 3600), zero: Zero::Off };
const RENEWAL_AGE: Durations =
    Durations { bounds: SHORTEST..=Duration::from_secs(30 * 24 * 3600), zero: Zero::Always };
const RECHECK_TIME: Durations =
    Durations { bounds: Duration::from_secs(1)..=Duration::from_secs(3600), zero: Zero::Refused };
const REVOCATION_AGE: Durations =
    Durations { bounds: Duration::from_secs(60)..=Duration::from_secs(400 * 24 * 3600), zero: Zero::Refused };
const KEY_AGE: Durations =
    Durations { bounds: SHORTEST..=Duration::from_secs(24 * 3600), zero: Zero::Refused };
const KEY_COOLDOWN: Durations =
    Durations { bounds: SHORTEST..=Duration::from_secs(3600), zero: Zero::Refused };
const STALE_KEYS: Durations =
    Durations { bounds: SHORTEST..=Duration::from_secs(30 * 24 * 3600), zero: Zero::Off };
const CLOCK_TOLERANCE: Durations = Durations { bounds: SHORTEST..=Duration::from_secs(300), zero: Zero::Off };
const BODY_SIZE: Sizes = Sizes { bounds: 1..=1 << 30, expected: "expected a size from `1B` to `1GiB`" };

/// The default of `upstream.timeout`.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// The default of `base_path`.
pub(crate) const BASE_PATH: &str = "/api/auth";

options! {
    ($)

    derived {
        /// This app's own origin, if it is configured.
        public_url: Option<Origin>,
        /// The software of the upstream, if it is configured.
        kind: Option<Kind>,
        /// The address of the upstream. That of `jwks.url` for an upstream that is asked for its keys only.
        base_url: BaseUrl,
        /// The path of the sign-in routes at the upstream, without a trailing `/`.
        upstream_base_path: String,
        /// The full names that the session cookie may have.
        cookie_names: CookieNames,
        /// How the upstream keeps sessions.
        strategy: Strategy,
        /// How session tokens are protected.
        token: TokenFormat,
        /// The `Host` that the upstream sees; never [`Host::Auto`].
        host: Host,
        /// The part of `timeout` that connecting may take.
        connect_timeout: Duration,
        /// Where visitors sign in.
        sign_in_path: String,
        /// What is changed in the upstream's responses.
        rewrite: Rewriting,
        /// The address of the store that instances share, if it is configured.
        store: Option<StoreUrl>,
        /// The address of the public keys, if it is configured.
        jwks_url: Option<Endpoint>,
        /// How often one address may try to sign in, if that is limited.
        per_ip: Option<Rate>,
        /// How often a sign-in to one account may be tried, if that is limited.
        per_account: Option<Rate>,
    }

    BasePath: Top "base_path", false, "\"/api/auth\"", "`\"/api/auth\"`", value {
        /// `base_path`: the path of the sign-in routes in this app, without a trailing `/`.
        base_path: Path = Path, base_path(text), default BASE_PATH.to_owned(),
    };

    PublicUrl: Top "public_url", true, "\"https://app.example.com\"", "from the request", value {
        /// `public_url`: this app's own origin as browsers see it.
        public_url: Text<Origin> = Text(origin), public_url(text),
    };

    Hosts: Top "hosts", true, "[\"app.example.com\"]", "none", value {
        /// `hosts`: the hosts of this app besides loopback hosts, with the port if the address has one.
        hosts: List<String> = List(hosts), hosts(list), default Vec::new(),
    };

    Kind: Upstream "kind", true, "robo", "Auth.js v5 or Robo.js", value {
        /// `upstream.kind`: the software of the upstream. Without it, both names that Auth.js gives to the session
        /// cookie are accepted.
        kind: Word<Kind> = Word(PhantomData), upstream_kind(Kind),
    };

    BaseUrl: Upstream "base_url", true, "env(\"AUTH_UPSTREAM_URL\")", "required", value {
        /// `upstream.base_url`: the address of the upstream.
        base_url: Text<BaseUrl> = Text(base_url), upstream_base_url(text),
    };

    UpstreamBasePath: Upstream "base_path", true, "\"/api/auth\"", "`base_path`", value {
        /// `upstream.base_path`: the path of the sign-in routes at the upstream.
        upstream_base_path: Path = Path, upstream_base_path(text),
    };

    Headers: Upstream "headers", true, "{ \"x-api-key\": env(\"AUTH_PROXY_KEY\") }", "`{}`", composite {
        /// `upstream.headers`: extra headers of every request to the upstream.
        Shape::Headers
    };

    CookieName: Upstream "cookie_name", true, "\"authjs.session-token\"", "by `kind`", value {
        /// `upstream.cookie_name`: the full name of the session cookie.
        cookie_name: Text<String> = Text(cookie_name), upstream_cookie_name(text),
    };

    Secret: Upstream "secret", true, "env(\"AUTH_SECRET\")", "none", composite {
        /// `upstream.secret`: the secrets that session tokens are protected with, newest first.
        Shape::Secret
    };

    Strategy: Upstream "session_strategy", true, "jwt", "`jwt`", value {
        /// `upstream.session_strategy`: how the upstream keeps sessions.
        strategy: Word<Strategy> = Word(PhantomData), upstream_session_strategy(Strategy),
    };

    Token: Upstream "token", true, "encrypted", "by `kind`", value {
        /// `upstream.token`: how session tokens are protected.
        token: Word<TokenFormat> = Word(PhantomData), upstream_token(TokenFormat),
    };

    Audience: Upstream "audience", true, "\"my-app\"", "`any`", value {
        /// `upstream.audience`: the expected `aud` of a session token.
        audience: WordOrText<Expected> = WordOrText(PhantomData), upstream_audience(Expected), default Expected::Any,
    };

    Issuer: Upstream "issuer", true, "\"https://auth.example.com\"", "`any`", value {
        /// `upstream.issuer`: the expected `iss` of a session token.
        issuer: WordOrText<Expected> = WordOrText(PhantomData), upstream_issuer(Expected), default Expected::Any,
    };

    PublicOrigins: Upstream "public_origins", true, "[\"https://auth.example.com\"]", "none", value {
        /// `upstream.public_origins`: other origins that the upstream uses as its own. Redirects to them become
        /// redirects to this app.
        public_origins: List<Origin> = List(public_origins), upstream_public_origins(list), default Vec::new(),
    };

    Host: Upstream "host", true, "auto", "`auto`", value {
        /// `upstream.host`: the `Host` that the upstream sees.
        host: WordOrText<Host> = WordOrText(PhantomData), upstream_host(Host),
    };

    Fetch: Upstream "fetch", false, "my_client()", "a pooled hyper client", composite {
        /// `upstream.fetch`: the client that sends requests to the upstream.
        Shape::Expression
    };

    Timeout: Upstream "timeout", true, "10s", "`10s`", value {
        /// `upstream.timeout`: the longest wait for the head of a response, and between two pieces of its body. A
        /// session lookup must be complete within it. From 10 milliseconds to 10 minutes.
        timeout: Durations = REQUEST_TIME, upstream_timeout(Duration), default TIMEOUT,
    };

    ConnectTimeout: Upstream "connect_timeout", true, "2s", "`2s`", value {
        /// `upstream.connect_timeout`: the part of `upstream.timeout` that connecting may take. From 10 milliseconds to
        /// 10 minutes.
        connect_timeout: Durations = REQUEST_TIME, upstream_connect_timeout(Duration),
    };

    Concurrency: Upstream "concurrency", true, "128", "`128`", value {
        /// `upstream.concurrency`: the greatest number of session lookups at the upstream at the same time.
        concurrency: Counts = Counts { most: 1_000_000, zero_is_off: false }, upstream_concurrency(u32), default 128,
    };

    Queue: Upstream "queue", true, "1_000", "`1_000`", value {
        /// `upstream.queue`: the greatest number of session lookups that wait for a free place; zero for none.
        queue: Counts = Counts { most: 1_000_000, zero_is_off: true }, upstream_queue(u32), default 1_000,
    };

    Retries: Upstream "retries", true, "2", "`2`", value {
        /// `upstream.retries`: how often a request that is safe to repeat is sent again; zero for never, at most 10.
        retries: Counts = Counts { most: 10, zero_is_off: true }, upstream_retries(u32), default 2,
    };

    CircuitBreaker: Upstream "circuit_breaker", true, "5", "`5`", value {
        /// `upstream.circuit_breaker`: the number of failures in a row after which no requests are sent for a while;
        /// zero for no circuit breaker.
        circuit_breaker: Counts = Counts { most: 1_000_000, zero_is_off: true }, upstream_circuit_breaker(u32), default 5,
    };

    BodyLimit: Upstream "body_limit", true, "1MiB", "`1MiB`", value {
        /// `upstream.body_limit`: the greatest size of a request body in bytes, up to 1 GiB.
        body_limit: Sizes = BODY_SIZE, upstream_body_limit(u64), default 1 << 20,
    };

    AllowHttp: Upstream "allow_http", true, "true", "`false`", value {
        /// `upstream.allow_http`: whether plain http to a public host is allowed.
        allow_http: Switch = Switch, upstream_allow_http(bool),
    };

    Source: Session "source", true, "upstream", "`upstream`", value {
        /// `session.source`: where sessions are read from.
        source: Word<Source> = Word(PhantomData), session_source(Source), default Source::Upstream,
    };

    Cache: Session "cache", true, "30s", "`off`", value {
        /// `session.cache`: how long a session is used without another lookup; zero for no cache. From 10 milliseconds
        /// to 1 hour.
        cache: Durations = CACHE_TIME, session_cache(Duration), default Duration::ZERO,
    };

    CacheEntries: Session "cache_entries", true, "10_000", "`10_000`", value {
        /// `session.cache_entries`: the number of cached sessions, and of cached verified tokens. An entry of more than
        /// 2 KiB counts as several.
        cache_entries: Counts = Counts { most: 1_000_000_000, zero_is_off: false }, session_cache_entries(u32), default 10_000,
    };

    StaleIfError: Session "stale_if_error", true, "5m", "`off`", value {
        /// `session.stale_if_error`: how much longer than `session.cache` a session is used while the upstream fails;
        /// zero for not at all. From 10 milliseconds to 24 hours.
        stale_if_error: Durations = STALE_TIME, session_stale_if_error(Duration), default Duration::ZERO,
    };

    Store: Session "store", true, "redis(env(\"REDIS_URL\"))", "none", value {
        /// `session.store`: the address of the Redis that the instances of this app share.
        store: Store = Store, session_store_url(text),
    };

    StoreUnavailable: Session "store_unavailable", true, "ask_upstream", "`memory`", value {
        /// `session.store_unavailable`: what an instance does while it cannot reach the store that it shares with others.
        store_unavailable: Word<StoreUnavailable> = Word(PhantomData), session_store_unavailable(StoreUnavailable), default StoreUnavailable::Memory,
    };

    Revocation: Session "revocation", true, "store", "`off`", value {
        /// `session.revocation`: where the list of revoked tokens is kept.
        revocation: Word<RevocationList> = Word(PhantomData), session_revocation(RevocationList), default RevocationList::Off,
    };

    RevocationUnavailable: Session "revocation_unavailable", true, "refuse", "`ask_upstream`", value {
        /// `session.revocation_unavailable`: what happens with a token while it is not known whether it was revoked.
        revocation_unavailable: Word<RevocationUnavailable> = Word(PhantomData), session_revocation_unavailable(RevocationUnavailable), default RevocationUnavailable::AskUpstream,
    };

    Recheck: Session "recheck", true, "5m", "`1m`", value {
        /// `session.recheck`: how often a session is looked up again while a handler waits for its end. From 1 second to
        /// 1 hour.
        recheck: Durations = RECHECK_TIME, session_recheck(Duration), default Duration::from_secs(60),
    };

    Renew: Session "renew", true, "1h", "`always`", value {
        /// `session.renew`: how old the browser's token must be before it is replaced by the token that the upstream
        /// renewed; zero for always. From 10 milliseconds to 720 hours.
        renew: Durations = RENEWAL_AGE, session_renew(Duration), default Duration::ZERO,
    };

    AnswerSession: Session "answer_session", true, "cached", "`upstream`", value {
        /// `session.answer_session`: who answers `GET session` of the sign-in routes, `get-session` of Better Auth: the
        /// upstream, or this app where it knows the session.
        answer_session: Word<AnswerSession> = Word(PhantomData), session_answer_session(AnswerSession), default AnswerSession::Upstream,
    };

    ExposeSessionToken: Session "expose_session_token", true, "true", "`false`", value {
        /// `session.expose_session_token`: whether page scripts may read the token of a database session.
        expose_session_token: Switch = Switch, session_expose_session_token(bool), default false,
    };

    SessionClaims: Session "claims", true, "[role, \"org.id\"]", "none", value {
        /// `session.claims`: further claims that `session.user` shows with `session.source: local`, each under its own
        /// name. A name is not a path: `"org.id"` names the claim `org.id`.
        session_claims: Names<String> = Names(claim_names), session_claims(list), default Vec::new(),
    };

    Unauthenticated: Top "unauthenticated", true, "auto", "`auto`", value {
        /// `unauthenticated`: what a guard answers to a request without a session.
        unauthenticated: Word<Unauthenticated> = Word(PhantomData), unauthenticated(Unauthenticated), default Unauthenticated::Auto,
    };

    SignInPath: Top "sign_in_path", true, "\"/api/auth/signin\"", "`{base_path}/signin`", value {
        /// `sign_in_path`: where visitors sign in.
        sign_in_path: Path = Path, sign_in_path(text),
    };

    TrustedProxies: Top "trusted_proxies", true, "[\"10.0.0.0/8\"]", "none", value {
        /// `trusted_proxies`: addresses and CIDR blocks of the peers whose `X-Forwarded-*` headers are used. The `Host`
        /// that such a peer sends is not.
        trusted_proxies: List<IpNet> = List(networks), trusted_proxies(list), default Vec::new(),
    };

    ClientJs: Top "client_js", true, "false", "`true`", value {
        /// `client_js`: whether the browser client is served at `{base_path}/client.js`.
        client_js: Switch = Switch, client_js(bool), default true,
    };

    CorsOrigins: Cors "origins", true, "[\"https://app.example.com\"]", "none", value {
        /// `cors.origins`: other origins whose pages may use the sign-in routes, with credentials.
        cors_origins: List<Origin> = List(cors_origins), cors_origins(list), default Vec::new(),
    };

    RewriteLocation: Rewrite "location", true, "false", "`true`", value {
        /// `rewrite.location`: whether redirects to the upstream become redirects to this app.
        rewrite_location: Switch = Switch, rewrite_location(bool),
    };

    CookieDomain: Rewrite "cookie_domain", true, "\"example.com\"", "`auto`", value {
        /// `rewrite.cookie_domain`: what happens to the `Domain` of the upstream's cookies.
        cookie_domain: WordOrText<CookieDomain> = WordOrText(PhantomData), rewrite_cookie_domain(CookieDomain),
    };

    CookiePath: Rewrite "cookie_path", true, "false", "`true`", value {
        /// `rewrite.cookie_path`: whether the upstream's base path in the `Path` of cookies becomes `base_path`.
        cookie_path: Switch = Switch, rewrite_cookie_path(bool),
    };

    CookieSecure: Rewrite "cookie_secure", true, "false", "`true`", value {
        /// `rewrite.cookie_secure`: whether cookies lose `Secure` if `public_url` is http.
        cookie_secure: Switch = Switch, rewrite_cookie_secure(bool),
    };

    CookiePrefix: Rewrite "cookie_prefix", true, "false", "`true`", value {
        /// `rewrite.cookie_prefix`: whether cookie names lose `__Secure-` and `__Host-` if `public_url` is http.
        cookie_prefix: Switch = Switch, rewrite_cookie_prefix(bool),
    };

    JwksUrl: Jwks "url", true, "\"https://auth.example.com/.well-known/jwks.json\"", "by `kind`", value {
        /// `jwks.url`: the address of the public keys that tokens are signed with, with `upstream.token: jwks`.
        jwks_url: Text<Endpoint> = Text(endpoint), jwks_url(text),
    };

    JwksMaxAge: Jwks "max_age", true, "10m", "`10m`", value {
        /// `jwks.max_age`: how old the keys become before they are fetched again. From 10 milliseconds to 24 hours.
        jwks_max_age: Durations = KEY_AGE, jwks_max_age(Duration), default Duration::from_secs(600),
    };

    JwksCooldown: Jwks "cooldown", true, "30s", "`30s`", value {
        /// `jwks.cooldown`: the shortest time between two fetches for tokens that name an unknown key. From 10
        /// milliseconds to 1 hour.
        jwks_cooldown: Durations = KEY_COOLDOWN, jwks_cooldown(Duration), default Duration::from_secs(30),
    };

    JwksStale: Jwks "stale", true, "24h", "`24h`", value {
        /// `jwks.stale`: how much longer than `jwks.max_age` keys are used while they cannot be fetched; zero for not
        /// at all. From 10 milliseconds to 720 hours.
        jwks_stale: Durations = STALE_KEYS, jwks_stale(Duration), default Duration::from_secs(24 * 3600),
    };

    JwksLeeway: Jwks "leeway", true, "15s", "`15s`", value {
        /// `jwks.leeway`: by how much the clocks of the issuer and of this app may differ; zero for not at all. From 10
        /// milliseconds to 5 minutes.
        jwks_leeway: Durations = CLOCK_TOLERANCE, jwks_leeway(Duration), default Duration::from_secs(15),
    };

    JwksAlgorithms: Jwks "algorithms", true, "[eddsa, es256, rs256]", "`[eddsa, es256, rs256]`", value {
        /// `jwks.algorithms`: the signature algorithms whose keys are used. Keys of others are left out.
        jwks_algorithms: Names<TokenFormat> = Names(signature_algorithms), jwks_algorithms(list), default DEFAULT_ALGORITHMS.to_vec(),
    };

    WebhookSecret: Revocation "webhook_secret", true, "env(\"AUTH_REVOKE_SECRET\")", "none", composite {
        /// `revocation.webhook_secret`: the secrets that messages to `{base_path}/_revoke` are signed with, newest first.
        Shape::Secret
    };

    BackChannel: Revocation "back_channel", true, "true", "`false`", value {
        /// `revocation.back_channel`: whether `{base_path}/_revoke` takes logout tokens of the issuer (OpenID Connect
        /// Back-Channel Logout 1.0).
        back_channel: Switch = Switch, revocation_back_channel(bool), default false,
    };

    Keep: Revocation "keep", true, "720h", "`9600h`", value {
        /// `revocation.keep`: how long the revocation of a message or a logout token is kept. Set it to the longest time that
        /// a token is good for. From 1 minute to 9600 hours, which is 400 days.
        keep: Durations = REVOCATION_AGE, revocation_keep(Duration), default Duration::from_secs(400 * 24 * 3600),
    };

    PerIp: SignInLimit "per_ip", true, "\"20/1m\"", "none", value {
        /// `sign_in_limit.per_ip`: how often one address may try to sign in, to register or to reset a password, as a number
        /// and a window of 1 second to 24 hours.
        per_ip: Text<Rate> = Text(rate), sign_in_limit_per_ip(text),
    };

    PerAccount: SignInLimit "per_account", true, "\"10/5m\"", "none", value {
        /// `sign_in_limit.per_account`: how often this may be tried for one account, from all addresses together.
        per_account: Text<Rate> = Text(rate), sign_in_limit_per_account(text),
    };

    AccountFields: SignInLimit "account_fields", true, "[email, username]", "`[email, username, login, identifier, phone, phoneNumber, phone_number]`", value {
        /// `sign_in_limit.account_fields`: the fields of a form, of JSON or of the query that have the account.
        account_fields: Names<String> = Names(account_fields), sign_in_limit_account_fields(list), default ACCOUNT_FIELDS.map(str::to_owned).to_vec(),
    };

    Routes: Top "routes", true, "all", "`all`", value {
        /// `routes`: which paths below the base path are forwarded.
        routes: Word<Routes> = Word(PhantomData), routes(Routes), default Routes::All,
    };
}

impl OptionKey {
    /// The option with this key in this block.
    #[must_use]
    pub fn find(group: Group, key: &str) -> Option<Self> {
        Self::in_group(group).find(|option| option.key() == key)
    }

    /// The options of a block.
    pub fn in_group(group: Group) -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(move |option| option.group() == group)
    }
}

/// The full name, such as `upstream.base_url`.
impl fmt::Display for OptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.group() {
            Group::Top => f.write_str(self.key()),
            group => write!(f, "{}.{}", group.key(), self.key()),
        }
    }
}

#[cfg(test)]
mod tests;
