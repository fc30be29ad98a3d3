//! How a router's state carries a proxy, and the handle behind every declared type.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use auth_proxy_rules::{Host, Settings};
use axum::extract::FromRef;
use serde::de::DeserializeOwned;

use crate::config::{Builder, Config, ConfigError, ConfigProblem, Spec};
use crate::diagnosis::{Diagnosis, Finding};
use crate::page::ErrorPage;
use crate::session::{Keys, NamedClaims, SessionMapping, Sessions};
use crate::token::{Decoder, Demands, KeyError, SessionNames, VerifiedTokens, Verifier};
use crate::upstream::{DynFetch, Upstream};

/// A type declared by [`auth_proxy!`](crate::auth_proxy). Implemented by the macro, not by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a proxy",
    label = "not declared by `auth_proxy!`",
    note = "declare it: `auth_proxy! {{ pub struct Auth {{ .. }} }}`"
)]
pub trait Provider: Clone + Send + Sync + 'static {
    /// The type of `session.user`.
    type User: DeserializeOwned + Send + Sync + 'static;
    /// The decoded session token.
    type Claims: DeserializeOwned + Send + Sync + 'static;

    #[doc(hidden)]
    const SPEC: &'static Spec;
    #[doc(hidden)]
    fn from_proxy(proxy: Proxy<Self>) -> Self;
    #[doc(hidden)]
    fn proxy(&self) -> &Proxy<Self>;
    #[doc(hidden)]
    fn fetch() -> Option<DynFetch> {
        None
    }
}

/// A router state that carries the proxy `P`: the proxy itself, or a struct that holds one.
///
/// Implemented for every state with `P: FromRef<S>`.
#[diagnostic::on_unimplemented(
    message = "the router state `{Self}` does not carry the proxy `{P}`",
    label = "this state has no `{P}`",
    note = "use the proxy as the state: `Router::new()..with_state(auth)`",
    note = "or put it into your own state: `#[derive(Clone, FromRef)] struct App {{ auth: {P}, .. }}`"
)]
pub trait Provides<P> {
    #[doc(hidden)]
    fn provide(&self) -> P;
}

#[diagnostic::do_not_recommend]
impl<P: Provider + FromRef<S>, S> Provides<P> for S {
    fn provide(&self) -> P {
        P::from_ref(self)
    }
}

/// The handle behind a declared type: a cheap clone around shared, immutable state.
///
/// A declared type dereferences to it, so `auth.router()`, `auth.session(&headers)` and the other
/// methods here are called on the declared type.
pub struct Proxy<P> {
    shared: Arc<Shared>,
    provider: PhantomData<fn() -> P>,
}

/// What all clones of a proxy share.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) config: Config,
    pub(crate) upstream: Arc<Upstream>,
    /// Set when session tokens can be decoded here.
    pub(crate) verifier: Option<Verifier>,
    pub(crate) mapping: Arc<dyn SessionMapping>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) error_page: Option<ErrorPage>,
    clock: Option<Arc<dyn Fn() -> u64 + Send + Sync>>,
    pub(crate) diagnosis: Diagnosis,
    pub(crate) names: SessionNames,
    pub(crate) keys: Keys,
}

impl<P: Provider> Proxy<P> {
    pub(crate) fn new(mut config: Config, builder: Builder<P>) -> Result<Self, ConfigError> {
        let name = P::SPEC.name;
        let problem = |option: &str, message: String| ConfigError {
            name,
            problems: vec![ConfigProblem { option: option.to_owned(), variable: None, message }],
        };
        let settings = config.settings.clone();
        if builder.mapping.is_some() && !settings.session_claims.is_empty() {
            let message = "a `session_mapping` says alone what a session shows: remove one of the two, \
                           or call `session_claims([\"\"; 0])` too";
            return Err(problem("session.claims", message.to_owned()));
        }
        let verifier = config
            .decodes()
            .then(|| {
                let demands =
                    Demands { audience: settings.audience.clone(), issuer: settings.issuer.clone() };
                let decoder = |name| Decoder::new(settings.token, &config.secrets, name, demands.clone());
                let decoders = settings.cookie_names.all().map(decoder).collect::<Result<_, _>>()?;
                Ok::<_, KeyError>(Verifier::new(decoders, VerifiedTokens::new(settings.cache_entries)?))
            })
            .transpose()
            .map_err(|error| problem("upstream.secret", error.to_string()))?;
        // The keys are derived: the secrets themselves are needed no longer.
        config.secrets.clear();
        let upstream = Upstream::new(&config, builder.fetch.or_else(P::fetch)).map_err(|error| {
            problem("upstream.base_url", format!("no client for it: {}", chain(error.as_ref())))
        })?;
        tracing::info!(
            proxy = name,
            base_path = settings.base_path,
            upstream = %settings.base_url.origin,
            host = match &settings.host {
                Host::Literal(host) => host,
                Host::Preserve => "preserve",
                Host::Upstream | Host::Auto => "upstream",
            },
            decodes_tokens = verifier.is_some(),
            "auth proxy ready"
        );
        let mapping =
            builder.mapping.unwrap_or_else(|| Arc::new(NamedClaims(settings.session_claims.clone())));
        let sessions = Arc::new(Sessions::new(&settings, builder.store));
        let (names, keys) = (SessionNames::new(&settings), Keys::new(&settings, &config.headers));
        let shared = Shared {
            settings,
            config,
            upstream: Arc::new(upstream),
            verifier,
            mapping,
            sessions,
            error_page: builder.error_page,
            clock: builder.clock,
            diagnosis: Diagnosis::default(),
            names,
            keys,
        };
        Ok(Self { shared: Arc::new(shared), provider: PhantomData })
    }

    /// The proved configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.shared.config
    }
}

/// An error and its causes, in one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(error.source(), |cause| cause.source())
        .fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

impl<P> Proxy<P> {
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl Shared {
    /// Seconds since the Unix epoch.
    pub(crate) fn now(&self) -> u64 {
        match &self.clock {
            Some(clock) => clock(),
            None => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
        }
    }

    /// Says what a request gives away, the first time.
    pub(crate) fn say(&self, finding: Finding) {
        self.diagnosis.say(finding, || self.cookie_names());
    }

    /// Says what a request gives away, the first time, with a word of the request. It is logged escaped.
    pub(crate) fn say_of(&self, finding: Finding, word: impl FnOnce() -> String) {
        self.diagnosis.say(finding, word);
    }

    /// Says, the first time, that a session cookie came under a name that does not count.
    pub(crate) fn say_other_name(&self, other: &str) {
        self.diagnosis.say_other_name(&self.cookie_names(), other);
    }

    fn cookie_names(&self) -> String {
        self.settings.cookie_names.all().collect::<Vec<_>>().join(" or ")
    }
}

impl<P> Clone for Proxy<P> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), provider: PhantomData }
    }
}

impl<P: Provider> fmt::Debug for Proxy<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(P::SPEC.name).field("config", &self.shared.config).finish_non_exhaustive()
    }
}
