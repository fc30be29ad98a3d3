//! Builds a proxy from a checked configuration.

use std::sync::Arc;

#[cfg(feature = "redis")]
use auth_proxy_redis::Options as RedisOptions;
use auth_proxy_rules::{Settings, StoreUrl};

use super::Builder;
use crate::attempts::Attempts;
use crate::audit::Audit;
use crate::config::{Config, ConfigError, Strategy};
use crate::cookie::SessionNames;
use crate::dialect::{self, Dialect};
use crate::error::{BoxError, Causes};
use crate::forwarded::Addresses;
use crate::jwks::{Issuer, KeySource};
use crate::provider::attempts::SignInAttempts;
use crate::provider::back_channel::BackChannel;
use crate::provider::session_cookie::SessionCookies;
use crate::provider::{AuthProxy, Proxy, Shared, TokenVerifier};
use crate::revocation::WebhookKey;
#[cfg(feature = "redis")]
use crate::session::Redis;
use crate::session::{Keys, NamedClaims, SessionStore, Sessions};
use crate::telemetry::{TraceContext, describe};
use crate::token::{Decoder, Demands, KeyError, SecretProofs, TOLERANCE, VerifiedTokens, Verifier};
use crate::upstream::{Document, DynFetch, Needs, Upstream};
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
    let demands = Demands {
        audience: settings.audience.clone(),
        issuer: settings.issuer.clone(),
        tolerance: TOLERANCE,
        must_expire: false,
        refuses_events: settings.token.is_signed(),
    };
    let verifier = config
        .decodes()
        .then(|| {
            let decoder = |name| Decoder::new(settings.token, &config.secrets, name, demands.clone());
            let decoders = settings.cookie_names.all().map(decoder).collect::<Result<_, _>>()?;
            Ok::<_, KeyError>(Verifier::new(decoders, VerifiedTokens::new(settings.cache_entries)?))
        })
        .transpose()
        .map_err(|error| problem("upstream.secret", error.to_string()))?;
    let addresses = if dialect.reads_one_address() { Addresses::Client } else { Addresses::All };
    let needs = Needs { health_path: dialect.health_path(), addresses };
    let fetch = builder.fetch.or_else(P::fetch);
    if let (Some(_), Err(error)) = (&fetch, settings.base_url.check_fetch()) {
        return Err(problem("upstream.fetch", error.message().to_owned()));
    }
    let no_client = |option: &str, error: BoxError| {
        problem(option, format!("no client for it: {}", Causes(error.as_ref())))
    };
    let audit = Audit::new(name, builder.observer)
        .map_err(|error| problem("observer", format!("no thread for it: {error}")))?;
    let trace_context = TraceContext::new(builder.trace_context);
    let upstream = Upstream::new(&config, needs, fetch.clone(), trace_context, audit.clone())
        .map_err(|error| no_client("upstream.base_url", error))?;
    let upstream = Arc::new(upstream);
    let issuer = if config.has_published_keys() {
        let source = key_source(&settings, dialect, &upstream, fetch)
            .map_err(|error| no_client("jwks.url", error))?
            // Unreachable: the rules require an address.
            .ok_or_else(|| problem("jwks.url", "not set".to_owned()))?;
        let demands = Demands { tolerance: settings.jwks_leeway, must_expire: true, ..demands };
        Some(Arc::new(Issuer::new(source, &settings, demands)))
    } else {
        None
    };
    let back_channel = settings.back_channel.then(|| issuer.clone().map(BackChannel::new)).flatten();
    // A session cookie that is a key into a database is no token. The issuer then signs a copy of the session.
    let is_token = settings.strategy == Strategy::Jwt;
    let signer = issuer.as_ref().filter(|_| !is_token);
    let session_cookies = SessionCookies::new(&settings, &config.secrets, signer)
        .map_err(|error| problem("upstream.secret", error.to_string()))?;
    // The keys are derived. Only a check of the deployment needs the secrets themselves. A public key is none.
    let secrets = std::mem::take(&mut config.secrets);
    let secret_proofs = SecretProofs::new(if settings.token.is_asymmetric() { Vec::new() } else { secrets });
    let (published, bearer_issuer) = if is_token { (issuer, None) } else { (None, issuer) };
    let verifier = verifier.map(TokenVerifier::Own).or(published.map(TokenVerifier::Published));
    let mapping = builder.mapping.unwrap_or_else(|| Arc::new(NamedClaims(settings.session_claims.clone())));
    let store = match (builder.store, &settings.store) {
        (Some(store), _) => Some(store),
        (None, Some(url)) => {
            Some(shared_store(url, &settings).map_err(|message| problem("session.store", message))?)
        }
        (None, None) => None,
    };
    tracing::info!(
        target: "auth_proxy::config",
        proxy = name,
        base_path = settings.base_path,
        upstream = upstream_address(&settings),
        host = %settings.host,
        decodes_tokens = verifier.is_some(),
        cookie_cache = session_cookies.as_ref().map(|_| tracing::field::display(settings.token)),
        "auth proxy ready"
    );
    describe();
    let webhook = config.webhook_secrets.iter().map(|secret| WebhookKey::new(secret.as_bytes())).collect();
    config.webhook_secrets.clear();
    let names = SessionNames::new(&settings);
    let keys = Keys::new(&settings, &config.headers)
        .map_err(|_| problem("session.cache", KeyError::Randomness.to_string()))?;
    let keys = Arc::new(keys);
    let sessions = Arc::new(Sessions::new(&settings, Arc::clone(&keys), store, audit.clone()));
    let attempts = SignInAttempts::new(Arc::clone(&keys), Arc::clone(&sessions));
    let shared = Shared {
        settings,
        dialect,
        config,
        upstream,
        verifier,
        bearer_issuer,
        session_cookies,
        secret_proofs,
        mapping,
        sessions,
        error_page: builder.error_page,
        clock: builder.clock,
        warnings: OnceWarnings::default(),
        names,
        keys,
        webhook,
        back_channel,
        audit,
        attempts,
        sign_outs: Attempts::default(),
    };
    Ok(Proxy::new(shared))
}

/// The store in Redis.
///
/// # Errors
/// What is wrong with the address, which the message does not show.
#[cfg(feature = "redis")]
fn shared_store(url: &StoreUrl, settings: &Settings) -> Result<Arc<dyn SessionStore>, String> {
    // A ticket outlasts the longest lookup.
    let options = RedisOptions::new(url.as_str()).ticket_for(2 * settings.timeout);
    match Redis::new(options) {
        Ok(store) => Ok(Arc::new(store)),
        Err(error) => Err(error.to_string()),
    }
}

/// Unreachable: without the feature, the rules refuse the option.
#[cfg(not(feature = "redis"))]
fn shared_store(_: &StoreUrl, _: &Settings) -> Result<Arc<dyn SessionStore>, String> {
    Err("the store is not compiled in".to_owned())
}

/// Where the published keys are fetched from: `jwks.url`, or else the route that the upstream has for them.
fn key_source(
    settings: &Settings,
    dialect: &dyn Dialect,
    upstream: &Arc<Upstream>,
    fetch: Option<DynFetch>,
) -> Result<Option<KeySource>, BoxError> {
    if let Some(url) = &settings.jwks_url {
        return Ok(Some(KeySource::Url(Box::new(Document::new(url, settings, fetch)?))));
    }
    Ok(dialect.published_keys().map(|keys| KeySource::Upstream {
        upstream: Arc::clone(upstream),
        path: keys.path,
        timeout: settings.timeout,
    }))
}

/// The address of the upstream, for the log.
fn upstream_address(settings: &Settings) -> String {
    match &settings.jwks_url {
        Some(url) if !settings.has_sign_in() => url.to_string(),
        _ => settings.base_url.at(&settings.upstream_base_path),
    }
}
