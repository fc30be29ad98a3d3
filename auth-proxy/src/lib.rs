// Markdown uses the first of two definitions of a link. These replace the README's links by pages of this
// documentation.
#![doc = "[errors]: guide::errors"]
#![doc = "[deployments]: guide::deployments"]
#![doc = "[servers]: guide::servers"]
#![doc = "[guide]: guide"]
#![doc = "[gateway]: guide::gateway"]
#![doc = "[examples]: https://github.com/auth-proxy/auth-proxy/tree/main/examples"]
#![doc = "[results]: https://github.com/auth-proxy/auth-proxy/blob/main/benches/RESULTS.md"]
#![doc = "[security]: https://github.com/auth-proxy/auth-proxy/blob/main/SECURITY.md"]
#![doc = "[architecture]: https://github.com/auth-proxy/auth-proxy/blob/main/ARCHITECTURE.md"]
#![doc = "[contributing]: https://github.com/auth-proxy/auth-proxy/blob/main/CONTRIBUTING.md"]
#![doc = ""]
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod app;
mod attempts;
pub mod audit;
mod cache_control;
mod config;
mod cookie;
mod cross_origin;
mod dialect;
pub mod doctor;
#[rustfmt::skip]
mod editor;
mod error;
mod extract;
mod fingerprint;
mod forwarded;
mod guard;
#[cfg(any(doc, doctest))]
pub mod guide;
mod json;
mod jwks;
#[cfg(feature = "utoipa")]
mod openapi;
mod page;
mod path;
mod provider;
mod proxy;
mod revocation;
mod session;
mod telemetry;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;
mod token;
mod upstream;
pub mod verdict;
mod warnings;

#[doc = include_str!("../docs/require_session.md")]
pub use auth_proxy_macros::require_session;

pub use crate::config::ConfigError;
pub use crate::error::AuthError;
pub use crate::extract::{Either, RawToken, Session, Token};
pub use crate::guard::{Policy, RequireSession};
pub use crate::provider::{AuthProxy, FromState, Proxy};
pub use crate::session::User;
pub use crate::token::Claims;

/// The options of a block as types: the builder, the checked configuration, and the choices of an option.
pub mod options {
    pub use crate::config::{
        AnswerSession, Config, ConfigError, ConfigProblem, CookieDomain, Expected, Host, InvalidValue,
        Kind as UpstreamKind, RevocationList, RevocationUnavailable, Routes, Source as SessionSource,
        StoreUnavailable, Strategy as SessionStrategy, TokenFormat, Unauthenticated, Variable,
    };
    pub use crate::provider::Builder;
}

/// Errors and their outcomes. [`guide::errors`] explains every code.
pub mod errors {
    pub use crate::config::{ConfigError, ConfigProblem};
    pub use crate::error::{AuthError, BoxError, Outcome};
    pub use crate::extract::Rejection;
    pub use crate::guard::GuardRejection;
}

/// Guards, which let only permitted visitors pass.
pub mod guards {
    pub use crate::guard::{AnySession, GuardRejection, Policy, RequireSession};
}

/// Rules as values: which signed-in visitors may pass. [`guide::policies`] explains them.
pub mod rules {
    pub use crate::error::StepUp;
    pub use crate::guard::ByPolicy;
    pub use crate::guard::rule::{
        Acr, All, Any, Decision, DynRule, Has, IntoRule, MaxAge, Not, Rule, SignedIn, Visitor, acr, all, any,
        max_age, not, organization, permission, role, signed_in,
    };
}

/// Layers for a router, and their services.
pub mod layers {
    pub use crate::cache_control::Cacheable;
    pub use crate::cross_origin::{CrossOriginProtection, CrossOriginService};
    pub use crate::extract::{SessionCookieLayer, SessionCookieService};
    pub use crate::guard::{Answer, Axum, Grpc, Guests, RequireLayer, RequireService, RespondWith};
}

/// The content of a session, and the mapping from a token's claims to a session.
pub mod sessions {
    pub use crate::extract::SessionEnd;
    pub use crate::session::{DefaultMapping, SessionData, SessionMapping, User};
}

/// For an app that stores cached sessions itself.
pub mod store {
    #[cfg(feature = "redis")]
    #[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
    pub use auth_proxy_redis::{InvalidUrl, Options as RedisOptions};

    pub use crate::revocation::Revocation;
    #[cfg(feature = "redis")]
    #[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
    pub use crate::session::Redis;
    pub use crate::session::{
        Count, Entry, NotConnected, Put, SessionKey, SessionStore, StoreFuture, StoreWatcher, Stored, Ticket,
    };
}

/// The metrics, which go to the recorder of the crate [`metrics`](https://docs.rs/metrics). [`guide::telemetry`] explains
/// them.
#[cfg(feature = "metrics")]
#[cfg_attr(docsrs, doc(cfg(feature = "metrics")))]
pub mod metrics {
    pub use crate::telemetry::{DURATION_BUCKETS, METRICS, Metric, MetricKind};
}

/// For an app that sends requests to the upstream with its own client.
pub mod fetch {
    pub use crate::upstream::Fetch;
    #[cfg(feature = "reqwest")]
    #[cfg_attr(docsrs, doc(cfg(feature = "reqwest")))]
    pub use crate::upstream::Reqwest;
}

/// For an app behind this service that is not written with axum.
pub mod reverse_proxy {
    pub use crate::app::{ReverseProxy, ReverseProxyBuilder, Until};
}

#[doc = include_str!("../docs/auth_proxy.md")]
#[macro_export]
macro_rules! auth_proxy {
    ($($tokens:tt)*) => {
        $crate::__private::auth_proxy_internal! { ($crate) $($tokens)* }
    };
}

/// The macros expand to these items. Do not use them directly: any release may change them.
#[doc(hidden)]
pub mod __private {
    pub use auth_proxy_macros::auth_proxy_internal;
    pub use auth_proxy_rules::OptionKey;

    pub use crate::config::{Spec, Value};
    pub mod editor {
        pub use crate::editor::*;
    }
    pub use crate::guard::attribute::{Guarded, ProxyArgument, policy, proxy};
    pub mod rule {
        pub use crate::guard::attribute_rule::*;
    }
    pub use crate::provider::Declared;
    pub use crate::upstream::DynFetch;
    use crate::{AuthProxy, ConfigError, options::Builder};

    /// Builds a proxy from its declaration and the environment.
    ///
    /// # Errors
    /// Lists every problem of the configuration.
    pub fn from_env<P: AuthProxy>() -> Result<P, ConfigError> {
        builder().build()
    }

    /// The text of a `.env.example` for a declaration.
    #[must_use]
    pub fn env_example<P: Declared>() -> String {
        crate::config::env_example(P::VARIABLES)
    }

    /// Starts a builder from a declaration.
    #[must_use]
    pub fn builder<P: AuthProxy>() -> Builder<P> {
        Builder::new()
    }
}
