//! [`Audit`]: counts what happened, and tells the observer.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use super::delivery::Delivery;
use super::event::{Event, EventKind, LimitedBy, RevokedBy, RevokedWhat, SessionHash, SignedInBy};
use super::observer::BoxObserver;
use crate::error::AuthError;
use crate::telemetry::{self, Raised};

/// Counts what happened, and tells the observer, if there is one. Its clones share the observer.
#[derive(Clone, Default)]
pub(crate) struct Audit(Option<Arc<Delivery>>);

/// Whom an event is about. It is computed only if there is an observer.
#[derive(Default)]
pub(crate) struct About {
    /// The id of the user.
    pub(crate) subject: Option<String>,
    pub(crate) session: Option<SessionHash>,
    /// The address of the client.
    pub(crate) client: Option<IpAddr>,
}

impl Audit {
    /// Starts the thread of an observer. `proxy` is the name of the declared type.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub(crate) fn new(proxy: &'static str, observer: Option<BoxObserver>) -> io::Result<Self> {
        observer.map(|observer| Delivery::start(proxy, observer).map(Arc::new)).transpose().map(Self)
    }

    /// Whether there is an observer.
    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Waits until the observer has taken the events so far.
    pub(crate) fn delivered(&self) -> impl Future<Output = ()> + Send + use<> {
        let delivered = self.0.as_ref().map(|delivery| delivery.delivered());
        async {
            if let Some(delivered) = delivered {
                delivered.await;
            }
        }
    }

    /// A browser got a new session. Without a sign-in it is not counted as one.
    pub(crate) fn signed_in(&self, by: SignedInBy, about: impl FnOnce() -> About) {
        if by != SignedInBy::Switched {
            telemetry::signed_in(by.name());
        }
        self.tell(|| EventKind::SignedIn { by }, about);
    }

    /// The session of a browser ended.
    pub(crate) fn signed_out(&self, about: impl FnOnce() -> About) {
        telemetry::signed_out();
        self.tell(|| EventKind::SignedOut, about);
    }

    /// A guard let a request pass, or refused it.
    pub(crate) fn guard_decided(&self, refused: Option<&AuthError>, about: impl FnOnce() -> About) {
        let Some(error) = refused else { return telemetry::guard_decided("present", None) };
        let (outcome, code) = (error.outcome(), error.code());
        telemetry::guard_decided(outcome.name(), Some(code));
        // During an outage it is not known whether the visitor may pass.
        if !error.is_unavailable() {
            self.tell(|| EventKind::Refused { outcome, code }, about);
        }
    }

    /// A guard let a visitor without a session pass. `error` says why there is none.
    pub(crate) fn guest_passed(&self, error: &AuthError) {
        telemetry::guard_decided(error.outcome().name(), None);
    }

    /// A session was looked up. `is_stale`: the session is older than `session.cache`.
    pub(crate) fn looked_up(
        &self,
        lookup: telemetry::Lookup,
        end: telemetry::LookupEnd,
        is_stale: bool,
        about: impl FnOnce() -> About,
    ) {
        lookup.end(end);
        if is_stale {
            self.tell(|| EventKind::StaleSessionUsed, about);
        }
    }

    /// A write that a page of another origin sent was refused.
    pub(crate) fn cross_origin_refused(&self, about: impl FnOnce() -> About) {
        self.tell(|| EventKind::CrossOriginRefused, about);
    }

    /// The upstream revoked tokens.
    pub(crate) fn revoked(
        &self,
        what: RevokedWhat,
        by: RevokedBy,
        is_stored: bool,
        about: impl FnOnce() -> About,
    ) {
        telemetry::revoked(what.name(), is_stored);
        self.tell(|| EventKind::Revoked { what, by, is_stored }, about);
    }

    /// A message that was to revoke tokens was refused.
    pub(crate) fn revocation_refused(&self, code: &'static str, about: impl FnOnce() -> About) {
        self.tell(|| EventKind::RevocationRefused { code }, about);
    }

    /// An attempt to sign in was refused.
    pub(crate) fn sign_in_limited(&self, by: LimitedBy, about: impl FnOnce() -> About) {
        self.tell(|| EventKind::SignInLimited { by }, about);
    }

    /// The circuit breaker opened. It counts as open until the returned value is dropped.
    pub(crate) fn breaker_opened(&self) -> Raised {
        self.tell(|| EventKind::CircuitOpened, About::default);
        Raised::open_breaker()
    }

    /// The circuit breaker closed.
    pub(crate) fn breaker_closed(&self, raised: Raised) {
        drop(raised);
        self.tell(|| EventKind::CircuitClosed, About::default);
    }

    /// A call to the store failed with the error `lost`, and the call before it, if any, had worked. `None`: a call worked
    /// after one that failed.
    pub(crate) fn store_changed(&self, lost: Option<&'static str>) {
        let kind = || lost.map_or(EventKind::StoreBack, |error| EventKind::StoreLost { error });
        self.tell(kind, About::default);
    }

    fn tell(&self, kind: impl FnOnce() -> EventKind, about: impl FnOnce() -> About) {
        let Some(delivery) = &self.0 else { return };
        let (kind, at, proxy) = (kind(), SystemTime::now(), delivery.proxy());
        let About { subject, session, client } = about();
        delivery.send(Event { kind, at, proxy, subject, session, client });
    }
}
