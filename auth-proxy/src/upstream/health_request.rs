//! Sends a health check: a request that shows whether the upstream fails every request, or only that of one client.
//!
//! A client can make its own request fail in many ways. Node resets the connection after a head that is too large. A
//! proxy before the upstream sends 503 for an unknown host. So a failed request counts as an outage only if a request
//! without any client data fails too. With a client of the app, that request may have to wait for slow bodies of others, and
//! then has no result (`awaited.rs`).

use std::sync::Arc;
use std::time::Duration;

use auth_proxy_rules::Host;
use axum::body::Body;
use http::header::ACCEPT;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::{Instant, timeout_at};

use super::Upstream;
use super::health::PendingCheck;
use super::retry::is_outage;
use crate::error::{AuthError, Reason};
use crate::forwarded::ClientInfo;
use crate::telemetry::{Exchange, Purpose};

/// The most bytes of the response body that are read.
const BODY_LIMIT: usize = 1 << 20;

impl Upstream {
    /// Starts a health check unless one is under way. The check reports its result to the circuit breaker.
    ///
    /// The request is a GET without a cookie. `Host` is this app's first configured host, else the
    /// upstream's. The upstream is up if the whole response arrives with a status other than 502, 503 and 504. A check without
    /// a result tells the circuit breaker nothing.
    pub(super) fn start_health_check(self: &Arc<Self>) -> PendingCheck {
        let upstream = Arc::clone(self);
        self.health_check.join_or_start(async move {
            let is_up = upstream.check_health().await;
            match is_up {
                Some(true) => upstream.breaker.answered(),
                Some(false) => upstream.breaker.failed(),
                None => {}
            }
            is_up
        })
    }

    /// Whether the upstream is up. `None` when the check timed out, and clients with slow bodies may have left it no stream.
    async fn check_health(&self) -> Option<bool> {
        let deadline = Instant::now() + self.health_check_timeout();
        let were_many = self.awaited_bodies.are_many();
        let is_up = match self.try_health_check(deadline).await {
            // The upstream may have closed the idle connection that was used. Try once more.
            None if Instant::now() < deadline => self.try_health_check(deadline).await,
            is_up => is_up,
        };
        let timed_out = is_up.is_none() && Instant::now() >= deadline;
        if timed_out && (were_many || self.awaited_bodies.are_many()) {
            return None;
        }
        Some(is_up.unwrap_or(false))
    }

    /// Whether the upstream is up. `None` when there was no response head, or no whole response until the deadline.
    async fn try_health_check(&self, deadline: Instant) -> Option<bool> {
        let request = self.health_check_request().ok()?;
        let exchange = Exchange::begin(Purpose::Health, &request, 0, self.socket());
        let sending = timeout_at(deadline, self.client.send(request, self.settings.timeout));
        let response = match exchange.run(sending).await {
            Ok(response) => response.map_err(|failure| failure.error),
            Err(elapsed) => Err(AuthError::new(Reason::UPSTREAM_TIMEOUT).because(elapsed)),
        };
        exchange.end(response.as_ref().map(Response::status).map_err(AuthError::code));
        let (parts, body) = response.ok()?.into_parts();
        // A body that breaks off or stalls means that the upstream is down. A body over the limit does not.
        let body = timeout_at(deadline, Limited::new(body, BODY_LIMIT).collect()).await.ok()?;
        let is_whole = body.is_ok() || body.is_err_and(|error| error.is::<LengthLimitError>());
        Some(is_whole && (!is_outage(parts.status) || self.may_route_by_unknown_host()))
    }

    /// Whether a proxy before the upstream may route by a host that this app does not know: no host is configured, and
    /// trusted proxies send it with each request. Then a 503 for the health check, which has another host, says
    /// nothing.
    fn may_route_by_unknown_host(&self) -> bool {
        let settings = &self.settings;
        settings.host == Host::Preserve
            && settings.public_url.is_none()
            && settings.hosts.is_empty()
            && !settings.trusted_proxies.is_empty()
    }

    /// Less than half of a request's time. So a check that starts at half-time ends before the request's deadline.
    fn health_check_timeout(&self) -> Duration {
        self.settings.timeout * 2 / 5
    }

    fn health_check_request(&self) -> Result<Request<Body>, AuthError> {
        let mut request = self.get(self.needs.health_path)?;
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        self.finish_head(request.headers_mut(), &ClientInfo::own(&self.settings))?;
        Ok(request)
    }
}
