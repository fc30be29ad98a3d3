//! The check for a service that is told who the visitor is.

use http::request::Parts;

use super::GuardRejection;
use crate::audit::About;
use crate::error::{AuthError, Reason};
use crate::extract::{RequestAuth, VisitorIdentity};
use crate::provider::{AuthProxy, Proxy};

/// Who the visitor of a request is, by `session.source`. With `allows_guests` a visitor who is signed out passes, as
/// `None`.
///
/// # Errors
/// The response to a refused request. An invalid Bearer token and an outage are errors for guests too.
pub(crate) async fn visitor<P: AuthProxy>(
    proxy: &Proxy<P>,
    parts: &mut Parts,
    allows_guests: bool,
) -> Result<Option<VisitorIdentity>, GuardRejection> {
    let found = RequestAuth::of(proxy.clone(), parts).identity().await;
    let found = found.and_then(|found| found.ok_or_else(|| AuthError::new(Reason::SESSION_ABSENT)));
    match found {
        Ok(visitor) => {
            proxy.shared().audit.guard_decided(None, About::default);
            Ok(Some(visitor))
        }
        Err(error) if allows_guests && error.is_signed_out() => {
            proxy.shared().audit.guest_passed(&error);
            Ok(None)
        }
        Err(error) => Err(refused(error, proxy, parts)),
    }
}

/// The response to a request that another rule refuses.
pub(crate) fn refused<P: AuthProxy>(error: AuthError, proxy: &Proxy<P>, parts: &mut Parts) -> GuardRejection {
    let shared = proxy.shared();
    shared.audit.guard_decided(Some(&error), || RequestAuth::of(proxy.clone(), parts).about());
    GuardRejection::new(error, parts, shared)
}
