//! The configuration: what the macro declared, what the environment and the builder say, and the proved result.
//!
//! It knows nothing of HTTP but names and values of headers.
//!
//! Imports the rooms: none.
//! Does without the crates: `axum`, `hyper`, `tokio`, `tower`.

mod error;
mod resolve;
mod spec;

pub use auth_proxy_rules::{
    CookieDomain, Expected, Host, Kind, Routes, Source, Strategy, TokenFormat, Unauthenticated,
};
use auth_proxy_rules::{Origin, Settings};
use http::{HeaderMap, HeaderName};
use zeroize::Zeroizing;

pub use self::error::{ConfigError, ConfigProblem};
pub(crate) use self::resolve::{NotUnicode, Overrides, resolve};
pub use self::spec::{Spec, Value};

/// A proved configuration.
///
/// Its `Debug` output shows the settings and how many secrets and headers there are, never their
/// values.
pub struct Config {
    pub(crate) settings: Settings,
    /// The extra headers, each value marked sensitive.
    pub(crate) headers: HeaderMap,
    /// The names of all headers that are declared, also of those whose value is not set: no client may send them.
    pub(crate) header_names: Vec<HeaderName>,
    /// The secrets, newest first. Emptied once the keys are derived.
    pub(crate) secrets: Vec<Zeroizing<String>>,
}

impl Config {
    /// Where the routes live in this app, without a trailing `/`.
    #[must_use]
    pub fn base_path(&self) -> &str {
        &self.settings.base_path
    }

    /// This app's own origin, such as `https://app.example.com`, where it is configured.
    #[must_use]
    pub fn public_url(&self) -> Option<String> {
        self.settings.public_url.as_ref().map(Origin::to_string)
    }

    /// The full names that the session cookie may have, the one with the prefix first.
    #[must_use]
    pub fn cookie_names(&self) -> Vec<&str> {
        self.settings.cookie_names.all().collect()
    }

    /// Where visitors without a session are sent.
    #[must_use]
    pub fn sign_in_path(&self) -> &str {
        &self.settings.sign_in_path
    }

    /// How the upstream keeps sessions.
    #[must_use]
    pub fn session_strategy(&self) -> Strategy {
        self.settings.strategy
    }

    /// The `Host` that the upstream sees; `auto` is already decided.
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
