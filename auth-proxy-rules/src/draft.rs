use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net};

use crate::claims::claims;
use crate::header::{cookie_name, header_name, header_value};
use crate::{
    Bad, BaseUrl, Choice, CookieDomain, Expected, Host, Kind, Opt, Origin, Routes, SecretInfo, Source,
    Strategy, TokenFormat, Unauthenticated, units, url,
};

/// What is known of an option's value at this point.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Known<T> {
    /// Not set: the default holds.
    #[default]
    Unset,
    /// Perhaps set: that is seen when the program starts.
    Maybe,
    /// Set, and read when the program starts.
    Later,
    /// Set to this.
    Is(T),
}

impl<T> Known<T> {
    /// The value, when it is known.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Unset | Self::Maybe | Self::Later => None,
        }
    }

    /// Whether the value could still turn out to be anything.
    pub fn is_later(&self) -> bool {
        matches!(self, Self::Maybe | Self::Later)
    }

    pub(crate) fn value_or(&self, default: T) -> Known<T>
    where
        T: Clone,
    {
        match self {
            Self::Unset => Self::Is(default),
            known => known.clone(),
        }
    }
}

/// A configuration on its way: what is set so far, with every value already proved by itself.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    pub(crate) base_path: Known<String>,
    pub(crate) public_url: Known<Origin>,
    pub(crate) hosts: Known<Vec<String>>,
    pub(crate) kind: Known<Kind>,
    pub(crate) base_url: Known<BaseUrl>,
    pub(crate) upstream_base_path: Known<String>,
    pub(crate) headers: Vec<String>,
    pub(crate) cookie_name: Known<String>,
    pub(crate) secrets: Vec<Known<SecretInfo>>,
    pub(crate) strategy: Known<Strategy>,
    pub(crate) token: Known<TokenFormat>,
    pub(crate) audience: Known<Expected>,
    pub(crate) issuer: Known<Expected>,
    pub(crate) public_origins: Known<Vec<Origin>>,
    pub(crate) host: Known<Host>,
    pub(crate) timeout: Known<Duration>,
    pub(crate) connect_timeout: Known<Duration>,
    pub(crate) body_limit: Known<u64>,
    pub(crate) allow_http: Known<bool>,
    pub(crate) source: Known<Source>,
    pub(crate) cache: Known<Duration>,
    pub(crate) cache_entries: Known<u32>,
    pub(crate) stale_if_error: Known<Duration>,
    pub(crate) session_claims: Known<Vec<String>>,
    pub(crate) concurrency: Known<u32>,
    pub(crate) queue: Known<u32>,
    pub(crate) retries: Known<u32>,
    pub(crate) circuit_breaker: Known<u32>,
    pub(crate) renew: Known<Duration>,
    pub(crate) expose_session_token: Known<bool>,
    pub(crate) unauthenticated: Known<Unauthenticated>,
    pub(crate) sign_in_path: Known<String>,
    pub(crate) client_js: Known<bool>,
    pub(crate) cors_origins: Known<Vec<Origin>>,
    pub(crate) trusted_proxies: Known<Vec<IpNet>>,
    pub(crate) rewrite_location: Known<bool>,
    pub(crate) cookie_domain: Known<CookieDomain>,
    pub(crate) cookie_path: Known<bool>,
    pub(crate) cookie_secure: Known<bool>,
    pub(crate) cookie_prefix: Known<bool>,
    pub(crate) routes: Known<Routes>,
}

/// The default of `upstream.timeout`.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);
/// The default of `upstream.connect_timeout`, unless `timeout` is shorter.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const TIMEOUT_BOUNDS: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(600);
const CACHE_BOUNDS: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(3600);
const STALE_BOUNDS: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(24 * 3600);
const RENEW_BOUNDS: RangeInclusive<Duration> =
    Duration::from_millis(10)..=Duration::from_secs(30 * 24 * 3600);
const BODY_LIMIT_BOUNDS: RangeInclusive<u64> = 1..=1 << 30;

impl Draft {
    /// Proves a value by itself and keeps it.
    ///
    /// Answers a note where the value was taken in another form than written.
    ///
    /// # Errors
    /// When the value breaks the rules of the option. [`Opt::Headers`], [`Opt::Secret`] and
    /// [`Opt::Fetch`] have no text form; see [`add_header`](Self::add_header) and
    /// [`add_secret`](Self::add_secret).
    pub fn set(&mut self, option: Opt, text: &str) -> Result<Option<&'static str>, Bad> {
        let mut note = None;
        let mut path = |text: &str| {
            if text.len() > 1 && text.ends_with('/') {
                note = Some("the trailing `/` is taken off");
            }
            crate::path(text).map(Known::Is)
        };
        match option {
            Opt::BasePath => self.base_path = path(text)?,
            Opt::UpstreamBasePath => self.upstream_base_path = path(text)?,
            Opt::SignInPath => self.sign_in_path = path(text)?,
            Opt::PublicUrl => self.public_url = Known::Is(url::origin(text)?),
            Opt::BaseUrl => self.base_url = Known::Is(url::base_url(text)?),
            Opt::Kind => self.kind = Known::Is(Kind::parse(text)?),
            Opt::CookieName => self.cookie_name = Known::Is(cookie_name(text)?),
            Opt::Strategy => self.strategy = Known::Is(Strategy::parse(text)?),
            Opt::Token => self.token = Known::Is(TokenFormat::parse(text)?),
            Opt::Hosts => self.hosts = Known::Is(hosts(text)?),
            Opt::Audience => self.audience = Known::Is(Expected::parse(text)?),
            Opt::Issuer => self.issuer = Known::Is(Expected::parse(text)?),
            Opt::PublicOrigins => self.public_origins = Known::Is(origins(text, ANY_REDIRECT)?),
            Opt::Host => self.host = Known::Is(Host::parse(text)?),
            Opt::Timeout => self.timeout = Known::Is(bounded_duration(text)?),
            Opt::ConnectTimeout => self.connect_timeout = Known::Is(bounded_duration(text)?),
            Opt::BodyLimit => self.body_limit = Known::Is(bounded_size(text)?),
            Opt::AllowHttp => self.allow_http = Known::Is(boolean(text)?),
            Opt::Source => self.source = Known::Is(Source::parse(text)?),
            Opt::Cache => self.cache = Known::Is(lasting(text, CACHE_BOUNDS)?),
            Opt::CacheEntries => self.cache_entries = Known::Is(count(text, 1_000_000_000)?),
            Opt::StaleIfError => self.stale_if_error = Known::Is(lasting(text, STALE_BOUNDS)?),
            Opt::SessionClaims => self.session_claims = Known::Is(claims(text)?),
            Opt::Concurrency => self.concurrency = Known::Is(count(text, 1_000_000)?),
            Opt::Queue => self.queue = Known::Is(count_or_off(text, 1_000_000)?),
            Opt::Retries => self.retries = Known::Is(count_or_off(text, 10)?),
            Opt::CircuitBreaker => self.circuit_breaker = Known::Is(count_or_off(text, 1_000_000)?),
            Opt::Renew => self.renew = Known::Is(renewal(text)?),
            Opt::ExposeSessionToken => self.expose_session_token = Known::Is(boolean(text)?),
            Opt::Unauthenticated => self.unauthenticated = Known::Is(Unauthenticated::parse(text)?),
            Opt::ClientJs => self.client_js = Known::Is(boolean(text)?),
            Opt::CorsOrigins => self.cors_origins = Known::Is(origins(text, ANY_PAGE)?),
            Opt::TrustedProxies => self.trusted_proxies = Known::Is(networks(text)?),
            Opt::RewriteLocation => self.rewrite_location = Known::Is(boolean(text)?),
            Opt::CookieDomain => self.cookie_domain = Known::Is(CookieDomain::parse(text)?),
            Opt::CookiePath => self.cookie_path = Known::Is(boolean(text)?),
            Opt::CookieSecure => self.cookie_secure = Known::Is(boolean(text)?),
            Opt::CookiePrefix => self.cookie_prefix = Known::Is(boolean(text)?),
            Opt::Routes => self.routes = Known::Is(Routes::parse(text)?),
            Opt::Headers | Opt::Secret | Opt::Fetch => {
                return Err(Bad::new("this option has no text form"));
            }
        }
        Ok(note)
    }

    /// Notes that an option is set to something that is read when the program starts, and whether
    /// it may turn out to be absent.
    pub fn set_later(&mut self, option: Opt, optional: bool) {
        fn later<T>(optional: bool) -> Known<T> {
            if optional { Known::Maybe } else { Known::Later }
        }
        match option {
            Opt::BasePath => self.base_path = later(optional),
            Opt::UpstreamBasePath => self.upstream_base_path = later(optional),
            Opt::SignInPath => self.sign_in_path = later(optional),
            Opt::PublicUrl => self.public_url = later(optional),
            Opt::BaseUrl => self.base_url = later(optional),
            Opt::Kind => self.kind = later(optional),
            Opt::CookieName => self.cookie_name = later(optional),
            Opt::Strategy => self.strategy = later(optional),
            Opt::Token => self.token = later(optional),
            Opt::Hosts => self.hosts = later(optional),
            Opt::Audience => self.audience = later(optional),
            Opt::Issuer => self.issuer = later(optional),
            Opt::PublicOrigins => self.public_origins = later(optional),
            Opt::Host => self.host = later(optional),
            Opt::Timeout => self.timeout = later(optional),
            Opt::ConnectTimeout => self.connect_timeout = later(optional),
            Opt::BodyLimit => self.body_limit = later(optional),
            Opt::AllowHttp => self.allow_http = later(optional),
            Opt::Source => self.source = later(optional),
            Opt::Cache => self.cache = later(optional),
            Opt::CacheEntries => self.cache_entries = later(optional),
            Opt::StaleIfError => self.stale_if_error = later(optional),
            Opt::SessionClaims => self.session_claims = later(optional),
            Opt::Concurrency => self.concurrency = later(optional),
            Opt::Queue => self.queue = later(optional),
            Opt::Retries => self.retries = later(optional),
            Opt::CircuitBreaker => self.circuit_breaker = later(optional),
            Opt::Renew => self.renew = later(optional),
            Opt::ExposeSessionToken => self.expose_session_token = later(optional),
            Opt::Unauthenticated => self.unauthenticated = later(optional),
            Opt::ClientJs => self.client_js = later(optional),
            Opt::CorsOrigins => self.cors_origins = later(optional),
            Opt::TrustedProxies => self.trusted_proxies = later(optional),
            Opt::RewriteLocation => self.rewrite_location = later(optional),
            Opt::CookieDomain => self.cookie_domain = later(optional),
            Opt::CookiePath => self.cookie_path = later(optional),
            Opt::CookieSecure => self.cookie_secure = later(optional),
            Opt::CookiePrefix => self.cookie_prefix = later(optional),
            Opt::Routes => self.routes = later(optional),
            Opt::Secret => self.secrets.push(later(optional)),
            Opt::Headers | Opt::Fetch => {}
        }
    }

    /// Proves the name of an extra header, and its value when it is known.
    ///
    /// # Errors
    /// When the name or the value is no good, or the name is there already.
    pub fn add_header(&mut self, name: &str, value: Option<&str>) -> Result<(), Bad> {
        let lower = header_name(name)?;
        if self.headers.contains(&lower) {
            return Err(Bad::part("this header is set twice (case does not count)", lower));
        }
        self.headers.push(lower);
        value.map_or(Ok(()), header_value)
    }

    /// Adds a secret that is known, older than those before it.
    ///
    /// # Errors
    /// When it is empty.
    pub fn add_secret(&mut self, text: &str) -> Result<SecretInfo, Bad> {
        let info = SecretInfo::of(text)?;
        self.secrets.push(Known::Is(info));
        Ok(info)
    }

    /// The token format: as set, else what the kind of upstream issues.
    pub(crate) fn effective_token(&self) -> Known<TokenFormat> {
        match (&self.token, &self.kind) {
            (Known::Unset, Known::Is(Kind::NextAuthV4)) => Known::Is(TokenFormat::EncryptedV4),
            (Known::Unset, Known::Unset | Known::Is(Kind::Robo | Kind::Authjs)) => {
                Known::Is(TokenFormat::Encrypted)
            }
            (Known::Unset, Known::Maybe | Known::Later) => Known::Later,
            (token, _) => token.clone(),
        }
    }
}

fn bounded_duration(text: &str) -> Result<Duration, Bad> {
    within(units::duration(text)?, &TIMEOUT_BOUNDS, text)
}

fn within(value: Duration, bounds: &RangeInclusive<Duration>, text: &str) -> Result<Duration, Bad> {
    if bounds.contains(&value) {
        return Ok(value);
    }
    let [from, to] = [bounds.start(), bounds.end()].map(|bound| match bound.as_secs() {
        0 => format!("{}ms", bound.as_millis()),
        secs if secs % 3600 == 0 => format!("{}h", secs / 3600),
        secs => format!("{}m", secs / 60),
    });
    Err(Bad::part(format!("expected a duration from `{from}` to `{to}`"), text))
}

/// A duration, or `off`, which is none.
fn lasting(text: &str, bounds: RangeInclusive<Duration>) -> Result<Duration, Bad> {
    if text == "off" { Ok(Duration::ZERO) } else { within(units::duration(text)?, &bounds, text) }
}

fn count(text: &str, most: u32) -> Result<u32, Bad> {
    number(text, most).ok_or_else(|| Bad::part(format!("expected a whole number from 1 to {most}"), text))
}

fn count_or_off(text: &str, most: u32) -> Result<u32, Bad> {
    if text == "off" {
        return Ok(0);
    }
    let bad = || Bad::part(format!("expected a whole number from 1 to {most}, or `off`"), text);
    number(text, most).ok_or_else(bad)
}

fn number(text: &str, most: u32) -> Option<u32> {
    let digits = text.replace('_', "");
    let number = digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()));
    number.filter(|number| (1..=most).contains(number))
}

fn bounded_size(text: &str) -> Result<u64, Bad> {
    let value = units::size(text)?;
    if BODY_LIMIT_BOUNDS.contains(&value) {
        Ok(value)
    } else {
        Err(Bad::part("expected a size from `1B` to `1GiB`", text))
    }
}

fn boolean(text: &str) -> Result<bool, Bad> {
    text.parse().map_err(|_| Bad::part("expected `true` or `false`", text))
}

/// How old a token must be for its renewal to be relayed: `always` is zero.
fn renewal(text: &str) -> Result<Duration, Bad> {
    if text == "always" { Ok(Duration::ZERO) } else { within(units::duration(text)?, &RENEW_BOUNDS, text) }
}

/// Hosts with commas between.
fn hosts(text: &str) -> Result<Vec<String>, Bad> {
    let one = |text: &str| {
        if text.contains("://") {
            return Err(Bad::part("expected a host without a scheme, such as `app.example.com`", text));
        }
        if text.contains('*') {
            return Err(Bad::part("there are no wildcards: name each host, such as `app.example.com`", text));
        }
        url::host(text)
    };
    text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(one).collect()
}

/// Why `cors.origins` takes no `*`.
const ANY_PAGE: &str =
    "credentials are allowed, so that any page could act as the visitor: name the origins in place of `*`";
/// Why `upstream.public_origins` takes no `*`.
const ANY_REDIRECT: &str =
    "every redirect to another site would be turned into one to this app: name the origins in place of `*`";

/// Origins with commas between.
fn origins(text: &str, why_no_wildcard: &str) -> Result<Vec<Origin>, Bad> {
    let one = |text: &str| match text {
        "*" => Err(Bad::new(why_no_wildcard)),
        text => url::origin(text),
    };
    text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(one).collect()
}

/// Addresses and blocks of them, with commas between.
fn networks(text: &str) -> Result<Vec<IpNet>, Bad> {
    let network = |text: &str| {
        let network =
            text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map_err(|_| {
                Bad::part("expected an address or a block of them, such as `10.0.0.7` or `10.0.0.0/8`", text)
            })?;
        let network = canonical(network);
        if network.prefix_len() == 0 {
            return Err(Bad::part("this trusts everybody, so that any client could claim any address", text));
        }
        Ok(network)
    };
    text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(network).collect()
}

/// An IPv4 block written as IPv4-mapped IPv6 (`::ffff:10.0.0.0/104`, RFC 4291, section 2.5.5.2) as the IPv4 block
/// that it is: peers are compared in their IPv4 form.
fn canonical(network: IpNet) -> IpNet {
    const MAPPED: u8 = 96;
    let IpNet::V6(v6) = network else { return network };
    let (Some(v4), Some(length)) = (v6.addr().to_ipv4_mapped(), v6.prefix_len().checked_sub(MAPPED)) else {
        return network;
    };
    Ipv4Net::new(v4, length).map_or(network, IpNet::V4)
}
