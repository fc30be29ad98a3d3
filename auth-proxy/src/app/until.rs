//! [`Until`]: when a WebSocket or a stream of events ends.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

type Ending = Pin<Box<dyn Future<Output = ()> + Send>>;

/// When a WebSocket or a stream of events (`text/event-stream`) ends that a [`ReverseProxy`](super::ReverseProxy) forwards:
/// an extension of its request. Without it, they go on after the visitor has signed out.
///
/// ```
/// use auth_proxy::{Session, auth_proxy, reverse_proxy::Until};
/// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
///
/// fn ends_with(session: &Session<Auth>, request: &mut axum::extract::Request) {
///     let ended = session.ended();
///     request.extensions_mut().insert(Until::new(async move { let _ = ended.await; }));
/// }
/// ```
#[derive(Clone)]
pub struct Until(Arc<Mutex<Option<Ending>>>);

impl Until {
    /// The end of this future. It is dropped when the WebSocket or the stream has ended, or with the request if it is neither.
    #[must_use]
    pub fn new(ending: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Some(Box::pin(ending)))))
    }

    /// The future. It can be taken once.
    pub(super) fn take(&self) -> Option<Ending> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Until")
    }
}

/// A body that breaks off when a future ends.
pub(super) struct BodyUntil {
    body: Body,
    ending: Ending,
    /// Whether it was polled before.
    has_begun: bool,
}

impl BodyUntil {
    pub(super) fn new(body: Body, ending: Ending) -> Self {
        Self { body, ending, has_begun: false }
    }
}

impl http_body::Body for BodyUntil {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let has_begun = std::mem::replace(&mut self.has_begun, true);
        if self.ending.as_mut().poll(cx).is_ready() {
            self.ending = Box::pin(std::future::ready(()));
            if !has_begun {
                // hyper sends the head of the response when the body has nothing yet. After an error it would send nothing.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            // An error, so that it does not look like the end that the app chose.
            return Poll::Ready(Some(Err(axum::Error::new("the session has ended"))));
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body::Body as _;
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn body_of_a_session_that_has_ended_lets_the_head_be_sent_first() {
        let mut body = BodyUntil::new(Body::from("data"), Box::pin(std::future::ready(())));
        let mut polls = 0;
        let frame = std::future::poll_fn(|cx| {
            polls += 1;
            Pin::new(&mut body).poll_frame(cx)
        });
        assert!(frame.await.unwrap().is_err());
        assert_eq!(polls, 2);
        assert!(body.frame().await.unwrap().is_err(), "it stays ended");
    }
}
