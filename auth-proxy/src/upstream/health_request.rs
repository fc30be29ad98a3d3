//! The request of a health check, which tells whether the upstream fails every request, or only one.
//!
//! A client can make a request of its own fail in many ways. Node resets the connection after a head that is too
//! large; a proxy before the upstream answers 503 to a host that it does not know. So a failure counts as an outage
//! only when a request fails too that holds nothing of any client.

use std::sync::Arc;
use std::time::Duration;

use auth_proxy_rules::Host;
use axum::body::Body;
use http::header::ACCEPT;
use http::{HeaderValue, Request};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::timeout;

use super::Upstream;
use super::health::PendingCheck;
use super::retry::is_outage;
use crate::error::AuthError;
use crate::forwarded::ClientInfo;

/// Bytes of the response that are read.
const BODY_LIMIT: usize = 1 << 20;

impl Upstream {
    /// Starts a health check unless one is under way. It tells the circuit breaker its result.
    ///
    /// It sends `GET providers`, without a cookie, to this app's own host or the upstream's. Any whole response is
    /// good but 502, 503 and 504.
    pub(super) fn start_health_check(self: &Arc<Self>) -> PendingCheck {
        let upstream = Arc::clone(self);
        self.health_check.join_or_start(async move {
            let is_up = upstream.check_health().await;
            if is_up {
                upstream.breaker.answered();
            } else {
                upstream.breaker.failed();
            }
            is_up
        })
    }

    async fn check_health(&self) -> bool {
        let checking = async {
            match self.try_health_check().await {
                Some(is_up) => Some(is_up),
                // The upstream may close an idle connection just when it is used.
                None => self.try_health_check().await,
            }
        };
        timeout(self.health_check_timeout(), checking).await.ok().flatten().unwrap_or(false)
    }

    /// Whether the upstream is up. `None` when the connection broke before the head of a response.
    async fn try_health_check(&self) -> Option<bool> {
        let request = self.health_check_request().ok()?;
        let response = self.client.send(request, self.settings.timeout).await.ok()?;
        let (parts, body) = response.into_parts();
        // A body that breaks off or stands still is no answer. One that is too long is one.
        let body = Limited::new(body, BODY_LIMIT).collect().await;
        let is_whole = body.is_ok() || body.is_err_and(|error| error.is::<LengthLimitError>());
        Some(is_whole && (!is_outage(parts.status) || self.may_route_by_unknown_host()))
    }

    /// Whether a proxy before the upstream may route by a host that is not configured here, because trusted proxies
    /// tell it with each request. Then its 503 to the health check, which names another host, says nothing.
    fn may_route_by_unknown_host(&self) -> bool {
        let settings = &self.settings;
        settings.host == Host::Preserve
            && settings.public_url.is_none()
            && settings.hosts.is_empty()
            && !settings.trusted_proxies.is_empty()
    }

    /// A check that starts at half of a request's time is over before the request is.
    fn health_check_timeout(&self) -> Duration {
        self.settings.timeout * 9 / 20
    }

    fn health_check_request(&self) -> Result<Request<Body>, AuthError> {
        let mut request = self.get("/providers")?;
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        self.finish_head(request.headers_mut(), &ClientInfo::own(&self.settings))?;
        Ok(request)
    }
}
