//! Builds a proxy with some options set at run time.

mod build;
mod options;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use axum::response::Response;
use http::HeaderMap;
use zeroize::Zeroizing;

use super::AuthProxy;
use crate::audit::{BoxObserver, Observer};
use crate::config::{BuilderOptions, ConfigError, NotUnicode, resolve};
use crate::error::AuthError;
use crate::page::ErrorPage;
use crate::session::{SessionMapping, SessionStore};
use crate::telemetry::Inject;
use crate::upstream::DynFetch;

/// Builds a proxy with some options set at run time.
///
/// Starts from the options of the `auth_proxy!` block. Options that are set here replace them, and their environment
/// variables are not read. The same rules check both; [`build`](Self::build) reports every problem.
///
/// The method of an option has its full name: `upstream.base_url` is set by `upstream_base_url`.
///
/// ```
/// use auth_proxy::auth_proxy;
/// use std::time::Duration;
///
/// auth_proxy! {
///     pub struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL") } }
/// }
///
/// let auth = Auth::builder().upstream_base_url("http://127.0.0.1:3001").upstream_timeout(Duration::from_secs(3)).build()?;
/// # Ok::<(), auth_proxy::ConfigError>(())
/// ```
pub struct Builder<P> {
    options: BuilderOptions,
    vars: Option<Vec<(String, Zeroizing<String>)>>,
    fetch: Option<DynFetch>,
    mapping: Option<Arc<dyn SessionMapping>>,
    store: Option<Arc<dyn SessionStore>>,
    error_page: Option<ErrorPage>,
    clock: Option<Arc<dyn Fn() -> u64 + Send + Sync>>,
    trace_context: Option<Inject>,
    observer: Option<BoxObserver>,
    provider: PhantomData<fn() -> P>,
}

impl<P: AuthProxy> Builder<P> {
    pub(crate) fn new() -> Self {
        Self {
            options: BuilderOptions::default(),
            vars: None,
            fetch: None,
            mapping: None,
            store: None,
            error_page: None,
            clock: None,
            trace_context: None,
            observer: None,
            provider: PhantomData,
        }
    }

    /// How the claims of a token become a session with `session.source: local`.
    ///
    /// The default does what Auth.js's default callback does; see [`SessionMapping`].
    #[must_use]
    pub fn session_mapping(mut self, mapping: impl SessionMapping) -> Self {
        self.mapping = Some(Arc::new(mapping));
        self
    }

    /// Where `session.cache` keeps sessions, in place of this process's memory; see [`SessionStore`].
    #[must_use]
    pub fn session_store(mut self, store: impl SessionStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// The app's own error page in place of the default one. It is sent to browser navigations for 403, 421, 429, for 502 to
    /// 504 and for `step_up_required`. Other clients still get `application/problem+json`.
    ///
    /// The response keeps the status of the error if the page's status is 200, as with `Html(..)`, and every header of
    /// the error that the page does not set, such as `Retry-After` and `Cache-Control: no-store`. `Vary: Accept` is
    /// added.
    ///
    /// Show the [`code`](AuthError::code), but not the [`source`](std::error::Error::source), which is for logs and may
    /// name the upstream.
    ///
    /// The page is used on the sign-in routes and behind [`attach`](crate::Proxy::attach) or
    /// [`session_cookie_layer`](crate::Proxy::session_cookie_layer), which know the request. Handlers outside of them
    /// answer `application/problem+json`. Responses of the upstream and of the app's own handlers are not changed.
    ///
    /// ```
    /// # use auth_proxy::{AuthError, auth_proxy};
    /// use axum::response::{Html, IntoResponse};
    /// use http::StatusCode;
    /// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
    ///
    /// let auth = Auth::builder()
    ///     .error_page(|error: &AuthError| match error.status() {
    ///         StatusCode::FORBIDDEN => Html("<h1>This page is for members</h1>").into_response(),
    ///         _ => Html(format!("<h1>Back in a moment</h1><p>{}</p>", error.code())).into_response(),
    ///     })
    ///     .build()?;
    /// # Ok::<(), auth_proxy::ConfigError>(())
    /// ```
    #[must_use]
    pub fn error_page(mut self, page: impl Fn(&AuthError) -> Response + Send + Sync + 'static) -> Self {
        self.error_page = Some(Arc::new(page));
        self
    }

    /// Writes the headers of the trace context into each lookup and each forwarded request, such as `traceparent` and
    /// `tracestate` ([W3C Trace Context](https://www.w3.org/TR/trace-context/)). The function is called within the span of
    /// the request, with an empty map. Its headers replace those of the request. The headers of the client for W3C Trace
    /// Context and Baggage, B3 and Jaeger are removed in any case. Without a function they are forwarded, and lookups have
    /// none.
    ///
    /// With OpenTelemetry, `HeaderInjector` being that of the crate `opentelemetry-http`:
    ///
    /// ```text
    /// Auth::builder().trace_context(|headers| {
    ///     let context = tracing::Span::current().context();
    ///     opentelemetry::global::get_text_map_propagator(|propagator| {
    ///         propagator.inject_context(&context, &mut HeaderInjector(headers));
    ///     });
    /// })
    /// ```
    #[must_use]
    pub fn trace_context(mut self, inject: impl Fn(&mut HeaderMap) + Send + Sync + 'static) -> Self {
        self.trace_context = Some(Arc::new(inject));
        self
    }

    /// Gets the audit events: sign-ins, sign-outs, refusals, revocations, outages; see [`Observer`] and
    /// [`guide::audit`](crate::guide::audit). Only one observer is called, the last one that was set.
    ///
    /// ```
    /// # use auth_proxy::auth_proxy;
    /// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
    /// use auth_proxy::audit::Event;
    ///
    /// let auth = Auth::builder()
    ///     .observer(|event: Event| println!("{} by {:?}", event.kind.name(), event.client))
    ///     .build()?;
    /// # Ok::<(), auth_proxy::ConfigError>(())
    /// ```
    #[must_use]
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    /// Reads these variables instead of the environment of the process. For tests, and for programs that keep their
    /// settings elsewhere.
    #[must_use]
    pub fn vars<K: Into<String>, V: Into<String>>(mut self, vars: impl IntoIterator<Item = (K, V)>) -> Self {
        let vars = vars.into_iter().map(|(name, value)| (name.into(), Zeroizing::new(value.into())));
        self.vars = Some(vars.collect());
        self
    }

    /// Sets the clock that decides whether a token has expired, in seconds since the Unix epoch. For tests.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Checks the configuration and builds the proxy.
    ///
    /// # Errors
    /// Lists every variable that is missing and every value that breaks a rule.
    pub fn build(self) -> Result<P, ConfigError> {
        let own_store = self.store.as_ref().map(|store| store.keeps_revocations());
        let config = resolve(P::SPEC, &self.options, own_store, &|name| match &self.vars {
            Some(vars) => Ok(vars.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())),
            None => match std::env::var(name) {
                Ok(value) => Ok(Some(Zeroizing::new(value))),
                Err(std::env::VarError::NotPresent) => Ok(None),
                Err(std::env::VarError::NotUnicode(_)) => Err(NotUnicode),
            },
        })?;
        build::build(config, self).map(P::from_proxy)
    }
}

impl<P> fmt::Debug for Builder<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = self.options.names().map(|option| option.to_string());
        f.debug_struct("Builder").field("set", &set.collect::<Vec<_>>()).finish_non_exhaustive()
    }
}
