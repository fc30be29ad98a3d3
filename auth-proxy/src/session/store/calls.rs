//! The calls to a store, each with a time limit. A store that fails is as good as an empty one.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;
use tokio::time::error::Elapsed;
use tracing::Instrument as _;

use super::sealed::{open, seal};
use super::{Count, NotConnected, Put, SessionStore, StoreFuture, Ticket};
use crate::attempts::Counted;
use crate::audit::Audit;
use crate::error::BoxError;
use crate::revocation::Revocation;
use crate::session::cached::CachedSession;
use crate::session::key::{SessionKey, TokenKey};
use crate::telemetry::{StoreCall, StoreOperation};

/// The longest time of `get` and `put`.
const CALL_LIMIT: Duration = Duration::from_secs(1);

/// The longest time of `end`, which may wait for other instances, and for a lost connection to come back.
const END_LIMIT: Duration = Duration::from_secs(6);

/// How long a store may take to connect, for a ping.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// How long a ping waits until it asks a store again that is not connected.
const CONNECTS_AGAIN: Duration = Duration::from_millis(50);

/// A store that instances share.
pub(in crate::session) struct SharedStore {
    store: Arc<dyn SessionStore>,
    limit: Duration,
    /// Whether the last call failed. A store that is down is logged once, not for each call.
    is_failing: AtomicBool,
    audit: Audit,
    /// The end of the last call: one of [`StoreState`].
    state: AtomicU8,
}

/// How the last call to a store ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum StoreState {
    /// There was no call yet.
    Unused,
    Works,
    /// It failed, panicked or took too long.
    Failing,
    NotConnected,
}

impl StoreState {
    fn of(number: u8) -> Self {
        let known = [Self::Works, Self::Failing, Self::NotConnected];
        known.into_iter().find(|state| *state as u8 == number).unwrap_or(Self::Unused)
    }

    fn is_lost(self) -> bool {
        matches!(self, Self::Failing | Self::NotConnected)
    }
}

/// What a store has for a token.
pub(in crate::session) struct Held {
    pub(in crate::session) session: Option<CachedSession>,
    pub(in crate::session) ticket: Option<Ticket>,
}

impl SharedStore {
    pub(in crate::session) fn new(store: Arc<dyn SessionStore>, timeout: Duration, audit: Audit) -> Self {
        Self {
            store,
            limit: CALL_LIMIT.min(timeout / 4),
            is_failing: AtomicBool::new(false),
            state: AtomicU8::new(StoreState::Unused as u8),
            audit,
        }
    }

    /// How the last call ended.
    pub(in crate::session) fn state(&self) -> StoreState {
        StoreState::of(self.state.load(Ordering::Relaxed))
    }

    /// Whether the store works now. One that is not connected gets two seconds to connect, and at most until `deadline`.
    /// Changes neither the state nor what is logged: the start of a connection is no outage.
    ///
    /// # Errors
    /// The error of the store.
    pub(in crate::session) async fn ping(&self, deadline: Instant) -> Result<(), BoxError> {
        let deadline = deadline.min(Instant::now() + CONNECT_LIMIT);
        loop {
            match timed(StoreOperation::Ping, self.limit, || self.store.ping()).await {
                Err(error) if error.is::<NotConnected>() && Instant::now() + CONNECTS_AGAIN < deadline => {
                    tokio::time::sleep(CONNECTS_AGAIN).await;
                }
                result => return result,
            }
        }
    }

    pub(in crate::session) async fn get(&self, key: &TokenKey) -> Held {
        let entry = self.call(StoreOperation::Get, self.limit, || self.store.get(&key.session)).await;
        let Some(entry) = entry else { return Held { session: None, ticket: None } };
        Held { session: entry.session.and_then(|stored| open(key, stored)), ticket: entry.ticket }
    }

    pub(in crate::session) async fn put(
        &self,
        key: &TokenKey,
        ticket: Ticket,
        session: &CachedSession,
        linked: Vec<SessionKey>,
        keep: Duration,
    ) {
        let Some(sealed) = seal(key, session) else { return };
        let put = Put { key: key.session, ticket, session: sealed, linked, keep };
        self.call(StoreOperation::Put, self.limit, || self.store.put(put)).await;
    }

    /// Begins to end sessions, and returns a future that waits for it. The calls go on when that is dropped.
    pub(in crate::session) fn end(
        self: &Arc<Self>,
        keys: Vec<SessionKey>,
        block_for: Duration,
    ) -> impl Future<Output = ()> + use<> {
        let store = Arc::clone(self);
        let call = async move {
            store.call(StoreOperation::End, END_LIMIT, || store.store.end(&keys, block_for)).await
        };
        let end = tokio::spawn(call.in_current_span());
        async {
            end.await.ok();
        }
    }

    /// Begins to tell revoked tokens, and returns a future that waits for it, and returns whether the store took them. The
    /// call goes on when that is dropped.
    pub(in crate::session) fn revoke(
        self: &Arc<Self>,
        revocations: Vec<Revocation>,
    ) -> impl Future<Output = bool> + use<> {
        let store = Arc::clone(self);
        let call = async move {
            store.call(StoreOperation::Revoke, END_LIMIT, || store.store.revoke(&revocations)).await
        };
        let told = tokio::spawn(call.in_current_span());
        async { told.await.is_ok_and(|told| told.is_some()) }
    }

    /// Counts an attempt. `None` if the store does not count, or fails.
    pub(in crate::session) async fn count(&self, key: &[u8; 32], window: Duration) -> Option<Counted> {
        if !self.store.counts() {
            return None;
        }
        let counted = self.call(StoreOperation::Count, self.limit, || self.store.count(key, window)).await?;
        let Count { count, left } = counted?;
        Some(Counted { count, left: left.min(window) })
    }

    /// Lets the store connect.
    pub(in crate::session) fn connect(&self) {
        // A panic must not break off a request. The calls of the store report what is wrong.
        catch_unwind(AssertUnwindSafe(|| self.store.connect())).ok();
    }

    /// The result of a call. `None` if it fails, panics or takes too long.
    async fn call<'a, T>(
        &self,
        operation: StoreOperation,
        limit: Duration,
        call: impl FnOnce() -> StoreFuture<'a, T>,
    ) -> Option<T> {
        let result = timed(operation, limit, call).await;
        let lost = result.as_ref().err().map(kind_of);
        let state = match &result {
            Ok(_) => StoreState::Works,
            Err(error) if error.is::<NotConnected>() => StoreState::NotConnected,
            Err(_) => StoreState::Failing,
        };
        let before = self.state.swap(state as u8, Ordering::Relaxed);
        if StoreState::of(before).is_lost() != lost.is_some() {
            self.audit.store_changed(lost);
        }
        // The store logs the loss of its connection itself.
        if state == StoreState::NotConnected {
            return None;
        }
        let was_failing = self.is_failing.swap(result.is_err(), Ordering::Relaxed);
        match &result {
            Err(error) if !was_failing => {
                tracing::warn!(target: "auth_proxy::lookup", %error, "session store failed: continuing without it");
            }
            Ok(_) if was_failing => {
                tracing::info!(target: "auth_proxy::lookup", "session store works again");
            }
            _ => {}
        }
        result.ok()
    }
}

/// Calls a store, in a span.
///
/// # Errors
/// If the call fails, panics or takes longer than the limit.
async fn timed<'a, T>(
    operation: StoreOperation,
    limit: Duration,
    call: impl FnOnce() -> StoreFuture<'a, T>,
) -> Result<T, BoxError> {
    let span = StoreCall::begin(operation);
    let result = match span.run(tokio::time::timeout(limit, without_panic(call))).await {
        Ok(result) => result,
        Err(elapsed) => Err(elapsed.into()),
    };
    span.end(result.as_ref().map(|_| ()).map_err(kind_of));
    result
}

/// The kind of an error, for spans and events.
fn kind_of(error: &BoxError) -> &'static str {
    if error.is::<NotConnected>() {
        "not_connected"
    } else if error.is::<Elapsed>() {
        "timeout"
    } else {
        "failed"
    }
}

/// Calls a method of the app's own store. A panic becomes an error: it must not break off a sign-out.
async fn without_panic<'a, T>(call: impl FnOnce() -> StoreFuture<'a, T>) -> Result<T, BoxError> {
    let panicked = || BoxError::from("the session store panicked");
    let mut answer = catch_unwind(AssertUnwindSafe(call)).map_err(|_| panicked())?;
    poll_fn(|cx| {
        let polled = catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(cx)));
        polled.unwrap_or_else(|_| Poll::Ready(Err(panicked())))
    })
    .await
}
