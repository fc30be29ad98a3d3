//! `AuthProxy`, `Proxy` and `Shared`: the declared type's trait, its handle, and the state that all clones share.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use auth_proxy_rules::Settings;
use axum::extract::FromRef;
use serde::de::DeserializeOwned;

use super::attempts::SignInAttempts;
use super::back_channel::BackChannel;
use super::session_cookie::SessionCookies;
use crate::attempts::Attempts;
use crate::audit::Audit;
use crate::config::{Config, Spec, Variable};
use crate::cookie::SessionNames;
use crate::dialect::{self, Dialect};
use crate::jwks::Issuer;
use crate::page::ErrorPage;
use crate::revocation::WebhookKey;
use crate::session::{Keys, SessionMapping, Sessions};
use crate::token::{SecretProofs, Verifier};
use crate::upstream::{DynFetch, Upstream};
use crate::warnings::{OnceWarnings, Warning};

/// A type declared by [`auth_proxy!`](crate::auth_proxy). Implemented by the macro, not by hand.
///
/// ```
/// use auth_proxy::{AuthProxy, Proxy, Session};
/// use http::HeaderMap;
///
/// /// Works with every declared type.
/// async fn is_signed_in<P: AuthProxy>(proxy: &Proxy<P>, headers: &HeaderMap) -> bool {
///     matches!(proxy.session(headers).await, Ok(Some(_)))
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a proxy",
    label = "expected a type that `auth_proxy!` declares, such as `Auth`",
    note = "the type of the user stands in that declaration: `auth_proxy! {{ pub struct Auth<User = {Self}> {{ .. }} }}`"
)]
pub trait AuthProxy: Declared + Clone + Send + Sync + 'static {
    /// The type of `session.user`.
    type User: DeserializeOwned + Send + Sync + 'static;
    /// The decoded session token.
    type Claims: DeserializeOwned + Send + Sync + 'static;
}

/// What the macro implements for a declared type. Only `__private` exports it, so that no other code implements it.
pub trait Declared: Sized {
    /// The content of the `auth_proxy!` block.
    const SPEC: &'static Spec;
    /// The variables that it reads.
    const VARIABLES: &'static [Variable];
    /// Wraps the handle.
    fn from_proxy(proxy: Proxy<Self>) -> Self;
    /// The handle.
    fn proxy(&self) -> &Proxy<Self>;
    /// `upstream.fetch` of the block.
    fn fetch() -> Option<DynFetch> {
        None
    }
}

/// A proxy that can be taken from the router state `S`: the state is the proxy itself, or a struct that holds one.
///
/// Implemented for every proxy with [`FromRef<S>`].
///
/// ```
/// use auth_proxy::{Session, auth_proxy};
/// use axum::{Router, extract::FromRef, routing::get};
///
/// auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
///
/// #[derive(Clone)]
/// struct App { auth: Auth }
///
/// impl FromRef<App> for Auth {
///     fn from_ref(app: &App) -> Auth { app.auth.clone() }
/// }
///
/// async fn me(_session: Session<Auth>) -> &'static str { "hello" }
///
/// # let auth = Auth::from_env()?;
/// let app: Router = auth.attach(Router::new().route("/me", get(me))).with_state(App { auth });
/// # Ok::<(), auth_proxy::ConfigError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "the router state `{S}` does not carry the proxy `{Self}`",
    label = "the state `{S}` has no `{Self}`",
    note = "use the proxy as the state, `.with_state(auth)`, or a struct with it: `#[derive(Clone, axum::extract::FromRef)] struct App {{ auth: {Self} }}`",
    note = "`#[debug_handler]` assumes the state `()` unless it is named: where the proxy is the state, write `#[debug_handler(state = {Self})]`",
    note = "for the state `Arc<App>`: `impl axum::extract::FromRef<Arc<App>> for {Self} {{ fn from_ref(app: &Arc<App>) -> Self {{ app.auth.clone() }} }}`"
)]
pub trait FromState<S>: Sized {
    #[doc(hidden)]
    fn from_state(state: &S) -> Self;
}

#[diagnostic::do_not_recommend]
impl<P: AuthProxy + FromRef<S>, S> FromState<S> for P {
    fn from_state(state: &S) -> P {
        P::from_ref(state)
    }
}

/// The handle behind a declared type: a cheap clone around shared, immutable state.
///
/// A declared type dereferences to it, so `auth.router()`, `auth.session(&headers)` and the other
/// methods here are called on the declared type.
///
/// ```
/// use auth_proxy::auth_proxy;
///
/// auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
///
/// let auth = Auth::from_env()?;
/// assert_eq!(auth.config().base_path(), "/api/auth");
/// # Ok::<(), auth_proxy::ConfigError>(())
/// ```
pub struct Proxy<P> {
    shared: Arc<Shared>,
    provider: PhantomData<fn() -> P>,
}

/// What all clones of a proxy share.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) dialect: &'static dyn Dialect,
    pub(crate) config: Config,
    pub(crate) upstream: Arc<Upstream>,
    /// Set when session tokens can be decoded here.
    pub(crate) verifier: Option<TokenVerifier>,
    /// Verifies tokens that the upstream issues beside its sessions, if there are such tokens.
    pub(crate) bearer_issuer: Option<Arc<Issuer>>,
    /// Set when signed session cookies can be checked here.
    pub(crate) session_cookies: Option<SessionCookies>,
    /// Shows whether the upstream has the configured secrets.
    pub(crate) secret_proofs: SecretProofs,
    pub(crate) mapping: Arc<dyn SessionMapping>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) error_page: Option<ErrorPage>,
    pub(crate) clock: Option<Arc<dyn Fn() -> u64 + Send + Sync>>,
    pub(crate) warnings: OnceWarnings,
    pub(crate) names: SessionNames,
    pub(crate) keys: Arc<Keys>,
    /// The keys of `revocation.webhook_secret`. Empty: there is no webhook.
    pub(crate) webhook: Vec<WebhookKey>,
    /// Set with `revocation.back_channel`.
    pub(crate) back_channel: Option<BackChannel>,
    pub(crate) audit: Audit,
    pub(crate) attempts: SignInAttempts,
    /// The revoked tokens of each user.
    pub(crate) sign_outs: Attempts,
}

/// What decodes session tokens.
pub(crate) enum TokenVerifier {
    /// The keys of `upstream.secret`.
    Own(Verifier),
    /// The keys that an issuer publishes.
    Published(Arc<Issuer>),
}

impl<P: AuthProxy> Proxy<P> {
    /// The configuration, as it was checked.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// Waits until the [observer](crate::options::Builder::observer) has taken the events so far. For the end of a program,
    /// whose last events would be lost. It waits for as long as the observer blocks.
    ///
    /// ```
    /// # use auth_proxy::auth_proxy;
    /// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use auth_proxy::audit::Event;
    ///
    /// let auth = Auth::builder().observer(|event: Event| println!("{event:?}")).build()?;
    /// // After `axum::serve(..).with_graceful_shutdown(..)`:
    /// tokio::time::timeout(Duration::from_secs(5), auth.events_delivered()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn events_delivered(&self) -> impl Future<Output = ()> + Send + use<P> {
        self.shared.audit.delivered()
    }
}

impl<P> Proxy<P> {
    pub(super) fn new(shared: Shared) -> Self {
        Self { shared: Arc::new(shared), provider: PhantomData }
    }

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

    /// Milliseconds since the Unix epoch.
    pub(super) fn now_ms(&self) -> u64 {
        match &self.clock {
            Some(clock) => clock().saturating_mul(1000),
            None => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX)),
        }
    }

    /// Logs a warning the first time.
    pub(crate) fn warn_once(&self, warning: Warning) {
        self.warnings.warn_once(warning, || self.cookie_names());
    }

    /// Logs a warning the first time, with a value from the request, which is logged escaped.
    pub(crate) fn warn_once_with(&self, warning: Warning, detail: impl FnOnce() -> String) {
        self.warnings.warn_once(warning, detail);
    }

    /// Logs the first time that a token names a key that no configured secret gives.
    pub(super) fn warn_unknown_key(&self) {
        self.warnings.warn_unknown_key(|| self.cookie_names(), self.dialect.secret_variable());
    }

    /// Logs the first time that a request carries a session cookie under another name.
    pub(crate) fn warn_other_cookie_name(&self, other: &str) {
        self.warnings.warn_other_cookie_name(&self.cookie_names(), other, dialect::kind_of_cookie(other));
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

impl<P: AuthProxy> fmt::Debug for Proxy<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(P::SPEC.name).field("config", &self.shared.config).finish_non_exhaustive()
    }
}
