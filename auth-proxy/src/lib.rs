// Of two definitions of a link the first counts: these lead to the pages of the documentation.
#![doc = "[troubleshooting]: troubleshooting/index.html"]
#![doc = "[nextjs]: https://github.com/auth-proxy/auth-proxy/tree/main/examples/nextjs"]
#![doc = ""]
#![doc = include_str!("../README.md")]

mod cache_control;
mod config;
mod cookie;
mod cross_origin;
mod error;
mod extract;
mod forwarded;
mod guard;
mod json;
mod page;
mod provider;
mod proxy;
mod session;
#[cfg(feature = "testing")]
pub mod testing;
mod token;
mod upstream;
mod warnings;

#[doc = include_str!("../docs/require_session.md")]
pub use auth_proxy_macros::require_session;

pub use crate::cache_control::Cacheable;
pub use crate::config::{
    Config, ConfigError, ConfigProblem, CookieDomain, Expected, Host, InvalidValue, Kind, Routes, Source,
    Strategy, TokenFormat, Unauthenticated,
};
pub use crate::cross_origin::{CrossOriginProtection, CrossOriginService};
pub use crate::error::{AuthError, BoxError, Outcome};
pub use crate::extract::{RawToken, RelayLayer, RelayService, Session, Token};
pub use crate::guard::{AnySession, GuardRejection, Policy, RequireLayer, RequireService, RequireSession};
pub use crate::provider::{Builder, Provider, Provides, Proxy};
pub use crate::session::{
    CachedSession, DefaultMapping, SessionData, SessionKey, SessionMapping, SessionStore, StoreFuture, User,
};
pub use crate::token::Claims;
pub use crate::upstream::Fetch;
#[cfg(feature = "reqwest")]
pub use crate::upstream::Reqwest;

#[doc = include_str!("../docs/auth_proxy.md")]
#[macro_export]
macro_rules! auth_proxy {
    ($($tokens:tt)*) => {
        $crate::__private::auth_proxy_internal! { ($crate) $($tokens)* }
    };
}

#[cfg(doc)]
#[doc = include_str!("../docs/troubleshooting.md")]
pub mod troubleshooting {}

/// What the macros expand to. Not for use by hand; no version promise.
#[doc(hidden)]
pub mod __private {
    pub use auth_proxy_macros::auth_proxy_internal;
    pub use auth_proxy_rules::OptionKey;

    pub use crate::config::{Spec, Value};
    pub use crate::upstream::DynFetch;
    use crate::{Builder, ConfigError, Provider};

    /// Builds a proxy from its declaration and the environment.
    ///
    /// # Errors
    /// Lists every problem of the configuration.
    pub fn from_env<P: Provider>() -> Result<P, ConfigError> {
        builder().build()
    }

    /// Starts a builder from a declaration.
    #[must_use]
    pub fn builder<P: Provider>() -> Builder<P> {
        Builder::new()
    }
}
