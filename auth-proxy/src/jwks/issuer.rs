//! [`Issuer`]: the keys of an issuer, and the tokens that they verify.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use auth_proxy_rules::{Settings, TokenFormat};
use bytes::Bytes;
use http::HeaderValue;
use tokio::time::Instant;

use super::fetch::{Fetches, PendingFetch};
use super::schedule::{Limits, Schedule, Step};
use super::source::KeySource;
use crate::cookie::Candidate;
use crate::error::{AuthError, Reason};
use crate::telemetry::{CacheName, asked_cache};
use crate::token::{Demands, KeySet, KeySetError, LogoutToken, PublishedKeys, Refusal, Verified};

/// The keys of an issuer. They are first fetched for the first token.
pub(crate) struct Issuer {
    source: KeySource,
    limits: Limits,
    algorithms: Vec<TokenFormat>,
    demands: Demands,
    cache_entries: u32,
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    keys: Option<Current>,
    schedule: Schedule,
    fetches: Fetches,
}

struct Current {
    /// The document that the keys were read from.
    document: Bytes,
    keys: Arc<PublishedKeys>,
}

/// What a token with an unknown key gets in the `jwks.cooldown` after a fetch for another one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum InCooldown {
    Refused,
    /// `keys_unavailable`: it is sent again only if the answer says so.
    PutOff,
}

/// The state of the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeysState {
    /// No token needed them yet, or they are too old and no request has come since.
    NotFetched,
    /// They verify tokens. `is_failing`: the last fetch failed.
    Usable { is_failing: bool },
    /// They cannot be fetched, so tokens are answered with `keys_unavailable`.
    Unavailable,
}

/// Why a check found no usable key.
#[derive(Debug)]
pub(crate) enum CheckFailed {
    NotFetched(AuthError),
    NotUsable(KeySetError),
}

impl State {
    fn keys(&self) -> Option<&Arc<PublishedKeys>> {
        self.keys.as_ref().map(|current| &current.keys)
    }

    /// Forgets the keys: the issuer publishes a key set without them.
    fn withdraw_keys(&mut self) {
        self.keys = None;
        self.schedule.withdraw();
    }
}

impl Issuer {
    pub(crate) fn new(source: KeySource, settings: &Settings, demands: Demands) -> Self {
        Self {
            source,
            limits: Limits::of(settings),
            algorithms: settings.jwks_algorithms.clone(),
            demands,
            cache_entries: settings.cache_entries,
            state: RwLock::default(),
        }
    }

    /// Verifies the token of a request, and checks its claims at `now` (seconds since the Unix epoch).
    ///
    /// # Errors
    /// The reason why the token is refused, or `keys_unavailable` if it cannot be decided.
    pub(crate) async fn verify(
        self: &Arc<Self>,
        candidate: &Candidate<'_>,
        now: u64,
    ) -> Result<Arc<Verified>, AuthError> {
        self.decide(InCooldown::Refused, |keys| keys.verify(candidate, now)).await
    }

    /// Verifies a logout token of the issuer at `now` (seconds since the Unix epoch).
    ///
    /// # Errors
    /// The reason why the token is refused, or `keys_unavailable` if it cannot be decided, which includes an unknown key in
    /// `jwks.cooldown`: the issuer does not send a token again that was refused.
    pub(crate) async fn verify_logout(
        self: &Arc<Self>,
        token: &str,
        now: u64,
    ) -> Result<LogoutToken, AuthError> {
        self.decide(InCooldown::PutOff, |keys| keys.verify_logout(token, now)).await
    }

    /// What the keys say about a token. Fetches them if there are none, or if a newer key may have signed it.
    async fn decide<T>(
        self: &Arc<Self>,
        in_cooldown: InCooldown,
        verify: impl Fn(&PublishedKeys) -> Result<T, Refusal> + Send,
    ) -> Result<T, AuthError> {
        if let Some(keys) = self.keys_at_hand() {
            match verify(&keys) {
                Err(Refusal { may_have_newer_key: true, .. }) => {}
                decided => {
                    asked_cache(CacheName::Keys, true);
                    return decided.map_err(|refusal| refusal.error);
                }
            }
        }
        asked_cache(CacheName::Keys, false);
        // Boxed, so that requests with a known key keep a small future.
        Box::pin(self.decide_with_fetch(in_cooldown, verify)).await
    }

    async fn decide_with_fetch<T>(
        self: &Arc<Self>,
        in_cooldown: InCooldown,
        verify: impl Fn(&PublishedKeys) -> Result<T, Refusal> + Send,
    ) -> Result<T, AuthError> {
        let keys = self.keys().await?;
        match verify(&keys) {
            Err(Refusal { may_have_newer_key: true, error }) => {
                match self.newer_than(&keys, in_cooldown).await? {
                    Some(newer) => verify(&newer).map_err(|refusal| refusal.error),
                    None => Err(error),
                }
            }
            decided => decided.map_err(|refusal| refusal.error),
        }
    }

    /// The keys, if a request need not wait for them.
    fn keys_at_hand(self: &Arc<Self>) -> Option<Arc<PublishedKeys>> {
        let now = Instant::now();
        let state = self.read();
        let keys = state.keys()?;
        match state.schedule.step(&self.limits, now) {
            Step::Use => Some(Arc::clone(keys)),
            Step::UseAndFetch => {
                let keys = Arc::clone(keys);
                drop(state);
                let mut state = self.write();
                // Another request may have started or finished it meanwhile.
                if state.schedule.step(&self.limits, now) == Step::UseAndFetch {
                    self.join_or_start(&mut state);
                }
                Some(keys)
            }
            Step::Wait | Step::Refuse => None,
        }
    }

    /// The keys that are known, for a caller that does not wait. Starts a fetch for later calls if there are none.
    pub(crate) fn known_keys(self: &Arc<Self>) -> Option<Arc<PublishedKeys>> {
        let keys = self.keys_at_hand();
        if keys.is_none() {
            let mut state = self.write();
            if state.schedule.step(&self.limits, Instant::now()) == Step::Wait {
                self.join_or_start(&mut state);
            }
        }
        keys
    }

    /// Starts a fetch for a key that is not known, for a caller that does not wait. At most once in `jwks.cooldown`.
    pub(crate) fn search(self: &Arc<Self>) {
        let (mut state, now) = (self.write(), Instant::now());
        if state.schedule.search_wait(&self.limits, now).is_zero() && state.fetches.under_way().is_none() {
            state.schedule.search(now);
            self.join_or_start(&mut state);
        }
    }

    /// The keys. Waits for a fetch if need be.
    async fn keys(self: &Arc<Self>) -> Result<Arc<PublishedKeys>, AuthError> {
        if let Some(keys) = self.keys_at_hand() {
            return Ok(keys);
        }
        let fetch = {
            let mut state = self.write();
            match (state.schedule.step(&self.limits, Instant::now()), state.keys()) {
                (Step::Use | Step::UseAndFetch, Some(keys)) => return Ok(Arc::clone(keys)),
                (Step::Refuse, _) if state.fetches.under_way().is_none() => {
                    return Err(self.unavailable(&state, None));
                }
                _ => self.join_or_start(&mut state),
            }
        };
        let outcome = fetch.wait(self.deadline()).await;
        let state = self.read();
        match (outcome, state.keys()) {
            (Ok(()), Some(keys)) => Ok(Arc::clone(keys)),
            (Err(_), Some(keys)) if state.schedule.is_usable(&self.limits, Instant::now()) => {
                Ok(Arc::clone(keys))
            }
            (outcome, _) => Err(self.unavailable(&state, outcome.err())),
        }
    }

    /// Other keys than these, which do not have the key of a token. `None` if there are none. Fetches them at most once
    /// in `jwks.cooldown`, however many tokens name keys that do not exist.
    async fn newer_than(
        self: &Arc<Self>,
        known: &Arc<PublishedKeys>,
        in_cooldown: InCooldown,
    ) -> Result<Option<Arc<PublishedKeys>>, AuthError> {
        // A fetch that began before may not have the key, so this request may start another one after it.
        for _ in 0..2 {
            let (fetch, is_own) = {
                let (mut state, now) = (self.write(), Instant::now());
                if let Some(keys) = state.keys().filter(|keys| !Arc::ptr_eq(keys, known)) {
                    return Ok(Some(Arc::clone(keys)));
                }
                match state.fetches.under_way() {
                    Some(fetch) => (fetch, false),
                    None if state.schedule.search_wait(&self.limits, now).is_zero() => {
                        state.schedule.search(now);
                        (self.join_or_start(&mut state), true)
                    }
                    None if state.schedule.has_failed() => return Err(self.unavailable(&state, None)),
                    None if in_cooldown == InCooldown::PutOff => {
                        let error = self.unavailable(&state, None);
                        return Err(
                            error.because("a fetch for an unknown key began less than `jwks.cooldown` ago")
                        );
                    }
                    None => return Ok(None),
                }
            };
            let outcome = fetch.wait(self.deadline()).await;
            if let Err(error) = outcome {
                return Err(self.unavailable(&self.read(), Some(error)));
            }
            if is_own {
                break;
            }
        }
        Ok(self.read().keys().filter(|keys| !Arc::ptr_eq(keys, known)).map(Arc::clone))
    }

    /// When a request no longer waits for a fetch. A fetch that runs has ended before, with an error of its own.
    fn deadline(&self) -> Instant {
        Instant::now() + self.source.timeout() + Duration::from_millis(100)
    }

    fn join_or_start(self: &Arc<Self>, state: &mut State) -> PendingFetch {
        if let Some(fetch) = state.fetches.under_way() {
            return fetch;
        }
        let issuer = Arc::clone(self);
        state.fetches.start(issuer.fetch())
    }

    /// Fetches the keys and keeps them.
    async fn fetch(self: Arc<Self>) -> Result<(), AuthError> {
        let issuer = Arc::clone(&self);
        // In a task of its own, so that a panic of the app's client (`upstream.fetch`) counts as a failed fetch.
        let request = tokio::spawn(async move { issuer.source.get().await });
        let broken =
            |_| Err(AuthError::new(Reason::UPSTREAM_FAILED).because("the request for the keys broke off"));
        let fetched = request.await.unwrap_or_else(broken).and_then(|document| self.read_document(document));
        let mut state = self.write();
        match fetched {
            Ok(new) => {
                if state.schedule.has_failed() {
                    tracing::info!(target: "auth_proxy::jwks", "the keys of the issuer can be fetched again");
                }
                state.schedule.succeed(Instant::now());
                if new.is_some() {
                    state.keys = new;
                }
                Ok(())
            }
            Err(error) => {
                state.schedule.fail(Instant::now());
                tracing::warn!(
                    target: "auth_proxy::jwks",
                    code = error.code(),
                    cause = error.cause(),
                    has_keys = state.schedule.is_usable(&self.limits, Instant::now()),
                    "the keys of the issuer cannot be fetched: tokens under known keys are accepted for `jwks.stale`, \
                     and others are answered 503"
                );
                Err(error)
            }
        }
    }

    /// The keys in a document. `None` if it is the document of the present keys: its verified tokens stay valid.
    fn read_document(&self, document: Bytes) -> Result<Option<Current>, AuthError> {
        if self.read().keys.as_ref().is_some_and(|current| current.document == document) {
            return Ok(None);
        }
        let invalid = || AuthError::new(Reason::UPSTREAM_INVALID_RESPONSE);
        let set = KeySet::read(&document, &self.algorithms).map_err(|error| {
            if let KeySetError::NoKey(_) = error {
                self.write().withdraw_keys();
            }
            invalid().because(error)
        })?;
        tracing::info!(
            target: "auth_proxy::jwks",
            keys = set.len(),
            unused = ?set.unused(),
            "the issuer has new keys"
        );
        let keys = PublishedKeys::new(set, self.demands.clone(), self.cache_entries)
            .map_err(|error| invalid().because(error.to_string()))?;
        Ok(Some(Current { document, keys: Arc::new(keys) }))
    }

    /// Fetches the keys for a check, and drops them: neither the keys in use nor the times of the fetches change. Returns how
    /// many keys can be used.
    ///
    /// # Errors
    /// Why there is no usable key.
    pub(crate) async fn check(&self) -> Result<usize, CheckFailed> {
        let document = self.source.get().await.map_err(CheckFailed::NotFetched)?;
        let set = KeySet::read(&document, &self.algorithms).map_err(CheckFailed::NotUsable)?;
        Ok(set.len())
    }

    /// The state of the keys, without a fetch.
    pub(crate) fn keys_state(&self) -> KeysState {
        let state = self.read();
        let (is_failing, now) = (state.schedule.has_failed(), Instant::now());
        match state.keys() {
            Some(_) if state.schedule.is_usable(&self.limits, now) => KeysState::Usable { is_failing },
            _ if is_failing => KeysState::Unavailable,
            _ => KeysState::NotFetched,
        }
    }

    /// Where the keys come from is another host than the upstream.
    pub(crate) fn has_own_url(&self) -> bool {
        matches!(self.source, KeySource::Url(_))
    }

    /// The error for a token that cannot be decided. `Retry-After` is the time of the next fetch.
    fn unavailable(&self, state: &State, cause: Option<AuthError>) -> AuthError {
        let now = Instant::now();
        // Without usable keys any token leads to the next fetch, otherwise one with an unknown key.
        let wait = if state.schedule.is_usable(&self.limits, now) {
            state.schedule.search_wait(&self.limits, now)
        } else {
            state.schedule.wait(&self.limits, now)
        };
        let error = AuthError::new(Reason::KEYS_UNAVAILABLE).retry_after(retry_after(wait));
        match cause {
            Some(cause) => error.because(cause),
            None => error.because("the last fetch of the keys failed"),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whole seconds, at least one.
fn retry_after(wait: Duration) -> Option<HeaderValue> {
    let secs = wait.as_millis().div_ceil(1000).max(1);
    HeaderValue::try_from(secs.to_string()).ok()
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("limits", &self.limits).finish_non_exhaustive()
    }
}
