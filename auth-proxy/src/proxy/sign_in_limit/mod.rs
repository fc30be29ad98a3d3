//! `sign_in_limit`: how often visitors may try to sign in, to register or to reset a password.
//!
//! Each attempt counts, whether it succeeds or not: the upstream is not asked to find out. An address that is refused
//! does not count against the account that it tried, so that one client cannot use up the attempts of an account.

mod account;
mod letters;

use std::net::IpAddr;

use auth_proxy_rules::Rate;
use axum::body::Body;
use http::HeaderValue;
use http::request::Parts;

use super::plan::Plan;
use super::read_body::read;
use crate::audit::{About, LimitedBy};
use crate::error::{AuthError, Reason};
use crate::provider::Shared;
use crate::warnings::Warning;

/// The longest body of an attempt that is read for its account. A sign-in has less than 1 KiB, a registration with a passkey
/// 10 KiB.
const MOST_BYTES: usize = 64 * 1024;

/// Counts an attempt, and refuses it if there were too many. Returns the body, which it has read if accounts are counted.
///
/// # Errors
/// `sign_in_limited`. With `per_account` also `sign_in_unreadable`, `body_too_large`, `body_late` and `body_broken`.
pub(super) async fn check(
    shared: &Shared,
    plan: &Plan,
    parts: &Parts,
    body: Body,
) -> Result<Body, AuthError> {
    let query = parts.uri.query().unwrap_or_default();
    let tries_code_of_mail = plan.purpose.is_callback && account::has_token(query);
    if !plan.purpose.is_sign_in && !tries_code_of_mail {
        return Ok(body);
    }
    // In a box, since most requests are no attempts to sign in: the future of every request would be larger.
    Box::pin(count_attempt(shared, plan, parts, body)).await
}

async fn count_attempt(shared: &Shared, plan: &Plan, parts: &Parts, body: Body) -> Result<Body, AuthError> {
    if let Some(rate) = shared.settings.per_ip {
        match plan.client.address() {
            Some(address) => count_address(shared, plan, parts, address, rate).await?,
            None => shared.warn_once(Warning::ClientUnknown),
        }
    }
    let Some(rate) = shared.settings.per_account else { return Ok(body) };
    let body = read(shared, body, MOST_BYTES).await?;
    for account in account::accounts(
        parts.uri.query().unwrap_or_default(),
        &parts.headers,
        &body,
        &shared.settings.account_fields,
    )? {
        count(shared, plan, LimitedBy::Account, account.as_bytes(), rate).await?;
    }
    Ok(Body::from(body))
}

async fn count_address(
    shared: &Shared,
    plan: &Plan,
    parts: &Parts,
    address: IpAddr,
    rate: Rate,
) -> Result<(), AuthError> {
    let counted = match address {
        IpAddr::V4(address) => count(shared, plan, LimitedBy::Address, &address.octets(), rate).await,
        // A network of this size belongs to one customer (RFC 6177), who can use any of its addresses.
        IpAddr::V6(address) => count(shared, plan, LimitedBy::Address, &address.octets()[..8], rate).await,
    };
    if counted.is_err() && !plan.client.is_peer_trusted() && parts.headers.contains_key("x-forwarded-for") {
        shared.warn_once(Warning::OneAddressForAll);
    }
    counted
}

/// Counts an attempt.
///
/// # Errors
/// `sign_in_limited`, with the time until the window ends.
async fn count(
    shared: &Shared,
    plan: &Plan,
    by: LimitedBy,
    name: &[u8],
    rate: Rate,
) -> Result<(), AuthError> {
    let counted = shared.attempts.count(by, name, rate.per).await;
    if counted.count <= u64::from(rate.count) {
        return Ok(());
    }
    shared.audit.sign_in_limited(by, || About { client: plan.client.address(), ..About::default() });
    // `Retry-After` is in whole seconds (RFC 9110, section 10.2.3).
    let seconds = HeaderValue::from(counted.left.as_secs() + 1);
    Err(AuthError::new(Reason::SIGN_IN_LIMITED).retry_after(Some(seconds)))
}
