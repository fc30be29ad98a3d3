//! The configuration: the declaration of the macro, the values from environment and builder, and the checked result.
//!
//! Of HTTP, it uses only header names and values.
//!
//! Imports the rooms: none.
//! Does without the crates: `axum`, `hyper`, `tokio`, `tower`.

mod builder_options;
mod error;
mod resolve;
mod spec;
mod variable;

pub use auth_proxy_rules::{
    AnswerSession, CookieDomain, Expected, Host, InvalidValue, Kind, RevocationList, RevocationUnavailable,
    Routes, Source, StoreUnavailable, Strategy, TokenFormat, Unauthenticated,
};
use auth_proxy_rules::{Origin, Settings};
use http::{HeaderMap, HeaderName};
use zeroize::Zeroizing;

pub(crate) use self::builder_options::BuilderOptions;
pub use self::error::{ConfigError, ConfigProblem};
pub(crate) use self::resolve::{NotUnicode, resolve};
pub use self::spec::{Spec, Value};
pub use self::variable::Variable;
pub(crate) use self::variable::env_example;

/// A checked configuration.
///
/// `Debug` shows the settings and the names of the extra headers, never secrets or the values of headers.
///
/// ```
/// # use auth_proxy::auth_proxy;
/// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
/// let auth = Auth::from_env()?;
/// assert_eq!(auth.config().sign_in_path(), "/api/auth/signin");
/// # Ok::<(), auth_proxy::ConfigError>(())
/// ```
pub struct Config {
    pub(crate) settings: Settings,
    /// The extra headers. Each value is marked as sensitive.
    pub(crate) headers: HeaderMap,
    /// The names of all declared headers, with or without a value. A client's headers with these names are dropped.
    pub(crate) header_names: Vec<HeaderName>,
    /// The secrets, newest first. Moved out when the keys are derived.
    pub(crate) secrets: Vec<Zeroizing<String>>,
    /// The secrets of the webhook, newest first. Emptied once the keys are made.
    pub(crate) webhook_secrets: Vec<Zeroizing<String>>,
}

impl Config {
    /// The path of the sign-in routes in this app, without a trailing `/`.
    #[must_use]
    pub fn base_path(&self) -> &str {
        &self.settings.base_path
    }

    /// The path of the sign-in routes at the upstream, without a trailing `/`.
    /// [`upstream_routes`](crate::Proxy::upstream_routes) serves it in this app too.
    #[must_use]
    pub fn upstream_base_path(&self) -> &str {
        &self.settings.upstream_base_path
    }

    /// This app's own origin, such as `https://app.example.com`, if it is configured.
    #[must_use]
    pub fn public_url(&self) -> Option<String> {
        self.settings.public_url.as_ref().map(Origin::to_string)
    }

    /// The full names that the session cookie may have, the one with the prefix first.
    #[must_use]
    pub fn cookie_names(&self) -> Vec<&str> {
        self.settings.cookie_names.all().collect()
    }

    /// The path that visitors without a session are redirected to.
    #[must_use]
    pub fn sign_in_path(&self) -> &str {
        &self.settings.sign_in_path
    }

    /// How the upstream keeps sessions.
    #[must_use]
    pub fn session_strategy(&self) -> Strategy {
        self.settings.strategy
    }

    /// The `Host` that the upstream sees; never [`Host::Auto`].
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.settings.host
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("settings", &self.settings)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
