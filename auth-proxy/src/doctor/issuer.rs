//! Fetches the published keys once, without a change to those in use.

use std::sync::Arc;

use tokio::time::{Instant, timeout_at};

use super::code::Code;
use super::finding::{Finding, Unchecked, seen};
use crate::jwks::{CheckFailed, Issuer};
use crate::provider::{Shared, TokenVerifier};

/// The issuer whose keys verify tokens.
pub(super) fn issuer(shared: &Shared) -> Option<&Arc<Issuer>> {
    match &shared.verifier {
        Some(TokenVerifier::Published(issuer)) => Some(issuer),
        _ => shared.bearer_issuer.as_ref(),
    }
}

/// Fetches the keys of an issuer until the deadline.
///
/// # Errors
/// If the upstream's other answers left no time for the keys.
pub(super) async fn check(
    shared: &Shared,
    issuer: &Issuer,
    deadline: Instant,
) -> Result<Option<Finding>, Unchecked> {
    let address = match &shared.settings.jwks_url {
        // A query may hold a key.
        Some(url) => format!("{}{}", url.origin, url.target.split('?').next().unwrap_or_default()),
        None => "the route of the upstream".to_owned(),
    };
    let fix_address = match (&shared.settings.jwks_url, shared.dialect.published_keys()) {
        (None, Some(keys)) => format!("{}, or write the address of the keys as `jwks.url`", keys.setting),
        _ => "write the `jwks_uri` of the issuer's `/.well-known/openid-configuration` as `jwks.url`, and let this machine \
              reach it"
            .to_owned(),
    };
    Ok(match timeout_at(deadline, issuer.check()).await {
        Ok(Ok(_)) => None,
        Ok(Err(CheckFailed::NotFetched(error))) => {
            let evidence = format!("{address}: {}", seen(&error));
            Some(Finding::new(Code::KEYS_NOT_FETCHED, evidence, fix_address))
        }
        Ok(Err(CheckFailed::NotUsable(why))) => {
            let allowed = shared.settings.jwks_algorithms.iter().map(|name| format!("`{name}`"));
            let allowed = allowed.collect::<Vec<_>>().join(", ");
            Some(Finding::new(
                Code::KEYS_UNUSABLE,
                format!("{address}: {why}"),
                format!(
                    "let the issuer sign with one of {allowed}, or list its algorithm in `jwks.algorithms`; if the document \
                     is not a key set, correct `jwks.url`"
                ),
            ))
        }
        Err(_) if !issuer.has_own_url() => {
            return Err(Unchecked::new("keys", "there was no answer in time"));
        }
        Err(_) => Some(Finding::new(
            Code::KEYS_NOT_FETCHED,
            format!("{address}: no answer within `upstream.timeout`"),
            fix_address,
        )),
    })
}
