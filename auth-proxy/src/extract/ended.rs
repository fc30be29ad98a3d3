//! Waits for the end of a session: for WebSockets, event streams and other handlers that run long.

use std::future::{pending, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use futures_core::Stream;
use tokio::time::{sleep, timeout};

use super::session::SessionSource;
use super::{RequestAuth, Session};
use crate::error::Outcome;
use crate::provider::AuthProxy;
use crate::session::SessionSnapshot;

/// How long it takes to ask again when the upstream is unavailable.
const RETRY: Duration = Duration::from_secs(5);

/// The longest time between a loss of the store and the next question. It is different for each session, so that not all
/// of them are looked up at once.
const SPREAD: Duration = Duration::from_secs(5);

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionEnd {
    /// The visitor signed out, or the session was revoked.
    SignedOut,
    /// `expires` of the session is over.
    Expired,
}

impl<P: AuthProxy> Session<P> {
    /// Waits until a request with the same credential would not get this session any more: the visitor signed out, or the
    /// session was revoked or has expired.
    ///
    /// A sign-out through this instance is known at once. One through another instance that shares the `session.store` is
    /// known at once too, if a new request would be refused then: Auth.js accepts its JWTs after a sign-out, unless
    /// `session.revocation: store` ends them. Other ends are known after `session.recheck` and `session.cache` together: that often the session is looked up again.
    /// While the upstream is unavailable, the session does not end.
    ///
    /// The cookies that the upstream renews in these lookups do not reach the browser, as with
    /// [`Proxy::session`](crate::Proxy::session). A session that was made by hand never ends before `expires`.
    ///
    /// ```
    /// # use auth_proxy::{Session, auth_proxy};
    /// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
    /// use auth_proxy::sessions::SessionEnd;
    ///
    /// async fn watch(session: Session<Auth>) {
    ///     match session.ended().await {
    ///         SessionEnd::Expired => println!("sign in again"),
    ///         _ => println!("you have signed out"),
    ///     }
    /// }
    /// ```
    pub fn ended(&self) -> impl Future<Output = SessionEnd> + Send + use<P> {
        let session = self.clone();
        async move {
            match session.source() {
                Some(source) => source.ended(session.expires).await,
                None => match session.expires {
                    Some(expires) => {
                        sleep(until(expires)).await;
                        SessionEnd::Expired
                    }
                    None => pending().await,
                },
            }
        }
    }

    /// Runs a future until the session ends: for the task of a WebSocket.
    ///
    /// # Errors
    /// Why the session ended. The future is dropped then.
    ///
    /// ```
    /// # use auth_proxy::{Session, auth_proxy};
    /// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
    /// # struct WebSocket;
    /// # async fn chat(socket: &mut WebSocket) {}
    /// # async fn close(socket: WebSocket, reason: &str) {}
    /// /// For `upgrade.on_upgrade(|socket| serve(socket, session))`.
    /// async fn serve(mut socket: WebSocket, session: Session<Auth>) {
    ///     if session.until_ended(chat(&mut socket)).await.is_err() {
    ///         close(socket, "signed out").await;
    ///     }
    /// }
    /// ```
    pub async fn until_ended<F: Future>(&self, future: F) -> Result<F::Output, SessionEnd> {
        let mut future = pin!(future);
        let mut ended = pin!(self.ended());
        poll_fn(|cx| {
            if let Poll::Ready(end) = ended.as_mut().poll(cx) {
                return Poll::Ready(Err(end));
            }
            future.as_mut().poll(cx).map(Ok)
        })
        .await
    }

    /// A stream that ends with the session: for server-sent events and other streamed responses.
    ///
    /// ```
    /// # use auth_proxy::{Session, auth_proxy};
    /// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
    /// use axum::response::sse::{Event, Sse};
    /// use futures_core::Stream;
    ///
    /// # fn news() -> impl Stream<Item = Result<Event, axum::Error>> + Send + 'static { Empty }
    /// # struct Empty;
    /// # impl Stream for Empty {
    /// #     type Item = Result<Event, axum::Error>;
    /// #     fn poll_next(self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<Option<Self::Item>> { std::task::Poll::Ready(None) }
    /// # }
    /// async fn events(session: Session<Auth>) -> Sse<impl Stream<Item = Result<Event, axum::Error>>> {
    ///     Sse::new(session.stream_until_ended(news()))
    /// }
    /// ```
    pub fn stream_until_ended<S: Stream + Send>(
        &self,
        stream: S,
    ) -> impl Stream<Item = S::Item> + Send + use<P, S> {
        UntilEnded { stream: Box::pin(stream), ended: Box::pin(self.ended()), is_over: false }
    }
}

/// A stream that ends with a session.
struct UntilEnded<S, E> {
    stream: Pin<Box<S>>,
    ended: Pin<Box<E>>,
    is_over: bool,
}

impl<S: Stream, E: Future> Stream for UntilEnded<S, E> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        if self.is_over || self.ended.as_mut().poll(cx).is_ready() {
            self.is_over = true;
            return Poll::Ready(None);
        }
        let next = self.stream.as_mut().poll_next(cx);
        self.is_over = matches!(next, Poll::Ready(None));
        next
    }
}

/// What a new request with the same credential would get.
enum Now {
    Present { expires: Option<SystemTime> },
    Absent,
    Unknown,
}

impl<P: AuthProxy> SessionSource<P> {
    async fn ended(&self, mut expires: Option<SystemTime>) -> SessionEnd {
        let interval = self.proxy.shared().settings.recheck;
        loop {
            // Taken before the question: an end from here on is noticed below.
            let snapshot = self.snapshot();
            if snapshot.as_ref().is_some_and(SessionSnapshot::is_signed_out) {
                return SessionEnd::SignedOut;
            }
            let wait = match self.now().await {
                Now::Present { expires: later } => {
                    expires = later;
                    interval
                }
                Now::Absent if expires.is_some_and(|expires| expires <= SystemTime::now()) => {
                    return SessionEnd::Expired;
                }
                Now::Absent => return SessionEnd::SignedOut,
                Now::Unknown => RETRY.min(interval),
            };
            let left = expires.map(until).filter(|left| !left.is_zero());
            let sooner = left.map_or(wait, |left| wait.min(left));
            timeout(sooner, either(may_have_ended(snapshot.as_ref()), self.revoked())).await.ok();
        }
    }

    async fn now(&self) -> Now {
        let mut parts = self.head.to_parts();
        match RequestAuth::again(self.proxy.clone(), &mut parts).session().await {
            Ok(Some(session)) => Now::Present { expires: session.expires },
            Ok(None) => Now::Absent,
            Err(error) if error.is_signed_out() || error.outcome() == Outcome::Invalid => Now::Absent,
            // An outage must not sign anyone out.
            Err(_) => Now::Unknown,
        }
    }

    /// Waits until the token is on the list of revoked tokens.
    async fn revoked(&self) {
        let Some(list) = self.proxy.shared().sessions.revocations() else { return pending().await };
        loop {
            let mut grown = pin!(list.grown());
            // Registered before the check, so that no entry is missed.
            grown.as_mut().enable();
            if self.is_revoked().await {
                return;
            }
            grown.await;
        }
    }

    async fn is_revoked(&self) -> bool {
        let mut parts = self.head.to_parts();
        let request = RequestAuth::again(self.proxy.clone(), &mut parts);
        match request.credential() {
            Ok(Some(credential)) => request.check_revoked(&credential).await.is_err(),
            _ => false,
        }
    }

    /// The state of the session that the credential belongs to.
    fn snapshot(&self) -> Option<SessionSnapshot> {
        let (shared, mut parts) = (self.proxy.shared(), self.head.to_parts());
        let credential = RequestAuth::again(self.proxy.clone(), &mut parts).credential().ok().flatten()?;
        Some(shared.sessions.snapshot(shared.keys.session(credential.token())))
    }
}

/// Waits until something happens that may have ended the session.
async fn may_have_ended(snapshot: Option<&SessionSnapshot>) {
    let Some(snapshot) = snapshot else { return pending().await };
    let flushed = async {
        snapshot.flushed().await;
        // After a loss of the store, not all sessions are looked up at once.
        sleep(snapshot.share_of(SPREAD)).await;
    };
    either(snapshot.ended(), flushed).await;
}

/// Waits for one of two futures.
async fn either(one: impl Future<Output = ()>, other: impl Future<Output = ()>) {
    let (mut one, mut other) = (pin!(one), pin!(other));
    poll_fn(|cx| match (one.as_mut().poll(cx), other.as_mut().poll(cx)) {
        (Poll::Pending, Poll::Pending) => Poll::Pending,
        _ => Poll::Ready(()),
    })
    .await;
}

/// The time until then. It is zero for a time in the past.
fn until(then: SystemTime) -> Duration {
    then.duration_since(SystemTime::now()).unwrap_or_default()
}
