//! Builds a proxy from a checked configuration.

use std::sync::Arc;

use super::Builder;
use crate::config::{Config, ConfigError};
use crate::cookie::SessionNames;
use crate::dialect;
use crate::error::Causes;
use crate::forwarded::Addresses;
use crate::provider::session_cookie::SessionCookies;
use crate::provider::{AuthProxy, Proxy, Shared};
use crate::session::{Keys, NamedClaims, Sessions};
use crate::token::{Decoder, Demands, KeyError, VerifiedTokens, Verifier};
use crate::upstream::{Needs, Upstream};
use crate::warnings::OnceWarnings;

/// Derives the keys, makes the client and the caches, and returns the handle.
///
/// # Errors
/// If no key can be derived from a secret, or the client cannot be made.
pub(super) fn build<P: AuthProxy>(mut config: Config, builder: Builder<P>) -> Result<Proxy<P>, ConfigError> {
    let name = P::SPEC.name;
    let problem = |option: &str, message: String| ConfigError::of(name, option, message);
    let settings = config.settings.clone();
    let dialect = dialect::of(settings.kind);
    if builder.mapping.is_some() && !settings.session_claims.is_empty() {
        let message = "a `session_mapping` alone decides what a session shows: remove one of the two, \
                       or call `session_claims([\"\"; 0])` too";
        return Err(problem("session.claims", message.to_owned()));
    }
    let verifier = config
        .decodes()
        .then(|| {
            let demands = Demands { audience: settings.audience.clone(), issuer: settings.issuer.clone() };
            let decoder = |name| Decoder::new(settings.token, &config.secrets, name, demands.clone());
            let decoders = settings.cookie_names.all().map(decoder).collect::<Result<_, _>>()?;
            Ok::<_, KeyError>(Verifier::new(decoders, VerifiedTokens::new(settings.cache_entries)?))
        })
        .transpose()
        .map_err(|error| problem("upstream.secret", error.to_string()))?;
    let session_cookies = SessionCookies::new(settings.token, &config.secrets)
        .map_err(|error| problem("upstream.secret", error.to_string()))?;
    // The keys are derived, so the secrets are no longer needed.
    config.secrets.clear();
    let addresses = if dialect.reads_one_address() { Addresses::Client } else { Addresses::All };
    let needs = Needs { health_path: dialect.health_path(), addresses };
    let upstream = Upstream::new(&config, needs, builder.fetch.or_else(P::fetch)).map_err(|error| {
        problem("upstream.base_url", format!("no client for it: {}", Causes(error.as_ref())))
    })?;
    tracing::info!(
        target: "auth_proxy::config",
        proxy = name,
        base_path = settings.base_path,
        upstream = format!("{}{}{}", settings.base_url.origin, settings.base_url.prefix, settings.upstream_base_path),
        host = %settings.host,
        decodes_tokens = verifier.is_some(),
        "auth proxy ready"
    );
    let mapping = builder.mapping.unwrap_or_else(|| Arc::new(NamedClaims(settings.session_claims.clone())));
    let sessions = Arc::new(Sessions::new(&settings, builder.store));
    let (names, keys) = (SessionNames::new(&settings), Keys::new(&settings, &config.headers));
    let shared = Shared {
        settings,
        dialect,
        config,
        upstream: Arc::new(upstream),
        verifier,
        session_cookies,
        mapping,
        sessions,
        error_page: builder.error_page,
        clock: builder.clock,
        warnings: OnceWarnings::default(),
        names,
        keys,
    };
    Ok(Proxy::new(shared))
}
