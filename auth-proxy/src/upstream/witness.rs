//! Whether the upstream fails everybody, or one request alone.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use auth_proxy_rules::Host;
use axum::body::Body;
use http::header::ACCEPT;
use http::{HeaderValue, Request};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use super::Upstream;
use super::client::Client;
use super::retry::is_outage;
use crate::error::AuthError;
use crate::forwarded::ClientInfo;

/// Bytes of the answer that are read.
const BODY_LIMIT: usize = 1 << 20;

/// The request of the proxy's own that is under way, if one is.
#[derive(Default)]
pub(super) struct Witness(Mutex<Option<Answering>>);

/// Whether the upstream answers, once that is known.
#[derive(Clone)]
pub(super) struct Answering(watch::Receiver<Option<bool>>);

impl Answering {
    /// `None` when it is not known by the deadline.
    pub(super) async fn wait(mut self, deadline: Instant) -> Option<bool> {
        *timeout_at(deadline, self.0.wait_for(Option::is_some)).await.ok()?.ok()?
    }

    /// Whether the answer is still to come. A task that broke off, as when its runtime ends, closes the channel and gives
    /// none.
    fn is_under_way(&self) -> bool {
        self.0.borrow().is_none() && self.0.has_changed().is_ok()
    }
}

impl Upstream {
    /// Whether the upstream answers a request that no client had a part in: `GET providers`, without a cookie, to this
    /// app's own host or the upstream's. Any whole answer will do but 502, 503 and 504. `None` when that is not known by the
    /// deadline.
    ///
    /// A client can have a request of its own fail in many ways: Node resets the connection after a head that is too
    /// large, and a proxy before the upstream answers 503 to a host that it does not know. Only when this fails too does
    /// the upstream fail everybody.
    pub(super) async fn answers(self: &Arc<Self>, deadline: Instant) -> Option<bool> {
        self.ask_whether_it_answers().wait(deadline).await
    }

    /// Asks, unless somebody asks already, and goes on when nobody waits for it.
    pub(super) fn ask_whether_it_answers(self: &Arc<Self>) -> Answering {
        let mut under_way = self.witness.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = under_way.as_ref().filter(|answer| answer.is_under_way()) {
            return answer.clone();
        }
        let (sender, answer) = watch::channel(None);
        let answer = Answering(answer);
        *under_way = Some(answer.clone());
        let upstream = Arc::clone(self);
        tokio::spawn(async move {
            let answers = upstream.own_request().await;
            if answers {
                upstream.breaker.answered();
            } else {
                upstream.breaker.failed();
            }
            sender.send_replace(Some(answers));
        });
        answer
    }

    async fn own_request(&self) -> bool {
        let answered = async {
            match self.own_try().await {
                Some(answered) => Some(answered),
                // A connection that lay unused may be closed by the upstream just as it is taken up.
                None => self.own_try().await,
            }
        };
        timeout(self.witness_timeout(), answered).await.ok().flatten().unwrap_or(false)
    }

    /// Whether the upstream answers; `None` when the connection broke before the head of an answer.
    async fn own_try(&self) -> Option<bool> {
        let request = self.make_own_request().ok()?;
        let response = match &self.client {
            Client::Direct(client) => {
                client.send(request).await.ok()?.map(|body| body.map_or_else(Body::empty, Body::new))
            }
            Client::Other(client) => client.fetch(request).await.ok()?,
        };
        let (parts, body) = response.into_parts();
        // A body that breaks off or stands still is no answer; one that is too long is one.
        let body = Limited::new(body, BODY_LIMIT).collect().await;
        let is_whole = body.is_ok() || body.is_err_and(|error| error.is::<LengthLimitError>());
        Some(is_whole && (!is_outage(parts.status) || self.may_be_unknown()))
    }

    /// Whether a proxy before the upstream may route by a host that is not known here: only trusted proxies tell it, request
    /// by request. Its 503 to the upstream's own name says nothing then.
    fn may_be_unknown(&self) -> bool {
        let settings = &self.settings;
        settings.host == Host::Preserve
            && settings.public_url.is_none()
            && settings.hosts.is_empty()
            && !settings.trusted_proxies.is_empty()
    }

    /// A lookup that was not answered in half of its time has this sent, which is to be over before the lookup is.
    pub(super) fn witness_timeout(&self) -> Duration {
        self.settings.timeout * 9 / 20
    }

    fn make_own_request(&self) -> Result<Request<Body>, AuthError> {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = self.at(self.path("/providers")?)?;
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        self.finish_head(request.headers_mut(), &ClientInfo::own(&self.settings))?;
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_broke_off_is_not_waited_for() {
        let (sender, answer) = watch::channel(None);
        let answer = Answering(answer);
        assert!(answer.is_under_way());
        drop(sender);
        assert!(!answer.is_under_way());

        let (sender, answer) = watch::channel(None);
        sender.send_replace(Some(true));
        assert!(!Answering(answer).is_under_way());
    }
}
