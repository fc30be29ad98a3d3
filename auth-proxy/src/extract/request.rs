//! The state that the extractors, guards and layers of one request share: credential, decoded token, session.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use http::request::Parts;
use http::{Extensions, HeaderMap};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::{Session, lookup};
use crate::config::Source;
use crate::cookie::{Candidate, Credential, NameIndexes, NamesInPlay};
use crate::error::{AuthError, Reason};
use crate::forwarded::ClientInfo;
use crate::json::deserialize_into;
use crate::provider::{AuthProxy, Proxy, Shared};
use crate::session::{Answer, CachedSession, Renewed, mapping};
use crate::token::Verified;
use crate::warnings::Warning;

tokio::task_local! {
    /// The memo of the current request.
    static CURRENT: Arc<dyn CurrentRequest>;
}

/// What a call such as `Proxy::session` in a handler shares with the extractors of its request.
trait CurrentRequest: Send + Sync {
    /// Notes that the response depends on the visitor.
    fn mark_personal(&self);
    /// Notes that the response was made with a stale session.
    fn mark_stale(&self);
    /// The session cookie names of the request. `None` if they are those of another proxy, or depend on the scheme,
    /// which headers do not tell.
    fn names(&self, shared: &Arc<Shared>) -> Option<NameIndexes>;
}

/// The errors of a lookup that is not sent to the upstream.
const UNASKED: [&Reason; 3] = [Reason::TOKEN_MALFORMED, Reason::LOOKUP_TOO_LARGE, Reason::CIRCUIT_OPEN];

type Found<T> = Result<Option<T>, AuthError>;

/// Reads the session and the token of one request. All extractors and guards of the request share the results, so the
/// credential is looked up once and decoded once.
pub(crate) struct RequestAuth<'v, P: AuthProxy> {
    proxy: Proxy<P>,
    headers: &'v HeaderMap,
    /// The session cookie names of this request. They stay the same when another response reveals the upstream's name.
    names: NameIndexes,
    /// The whole request. `None` if only its headers are known.
    request: Option<InRequest<'v, P>>,
}

/// The request that is read, with the results that its extractors and guards share.
struct InRequest<'v, P: AuthProxy> {
    parts: &'v Parts,
    memo: Arc<Memo<P>>,
}

pub(super) struct Memo<P: AuthProxy> {
    /// The proxy that the memo belongs to. An app may have several of one type, each with its own memo.
    shared: Arc<Shared>,
    /// Whether the relay layer will add the cookies of the lookup to the response.
    relayed: AtomicBool,
    /// Whether the response depends on the visitor.
    is_personal: AtomicBool,
    /// Whether a call in the handler got a stale session.
    is_stale: AtomicBool,
    /// The session cookies that the upstream set or cleared in a lookup by cookie.
    renewed: OnceLock<Renewed>,
    names: OnceLock<NameIndexes>,
    credential: OnceLock<Found<Arc<Credential>>>,
    verified: OnceLock<Found<Arc<Verified>>>,
    session: OnceCell<Found<CachedSession>>,
    token: OnceLock<Found<Arc<P::Claims>>>,
}

impl<P: AuthProxy> Memo<P> {
    fn new(shared: Arc<Shared>, relayed: bool) -> Self {
        Self {
            shared,
            relayed: AtomicBool::new(relayed),
            is_personal: AtomicBool::new(false),
            is_stale: AtomicBool::new(false),
            renewed: OnceLock::new(),
            names: OnceLock::new(),
            credential: OnceLock::new(),
            verified: OnceLock::new(),
            session: OnceCell::new(),
            token: OnceLock::new(),
        }
    }

    pub(super) fn is_stale(&self) -> bool {
        self.is_stale.load(Ordering::Relaxed)
            || matches!(self.session.get(), Some(Ok(Some(session))) if session.is_stale())
    }

    /// Runs the handler. A call of `Proxy::session` in it marks the response as personal too, and uses the same cookie
    /// names.
    pub(super) async fn run_handler<T>(self: Arc<Self>, answer: impl Future<Output = T>) -> T {
        CURRENT.scope(self, answer).await
    }

    /// Whether the response depends on the visitor.
    pub(super) fn is_personal(&self) -> bool {
        self.is_personal.load(Ordering::Relaxed)
    }

    /// The session cookies that the lookup set or cleared.
    pub(super) fn renewed(&self) -> Option<&Renewed> {
        self.renewed.get()
    }
}

impl<P: AuthProxy> CurrentRequest for Memo<P> {
    fn mark_personal(&self) {
        self.is_personal.store(true, Ordering::Relaxed);
    }

    fn mark_stale(&self) {
        self.is_stale.store(true, Ordering::Relaxed);
    }

    fn names(&self, shared: &Arc<Shared>) -> Option<NameIndexes> {
        let names = shared.names_of(None);
        let is_known = Arc::ptr_eq(&self.shared, shared) && !names.is_scheme_unknown();
        is_known.then(|| *self.names.get_or_init(|| names.indexes()))
    }
}

/// The memo of a request, stored in its extensions.
struct StoredMemo<P: AuthProxy>(Arc<Memo<P>>);

impl<P: AuthProxy> Clone for StoredMemo<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// The memo of this proxy in the extensions of a request.
fn stored<'e, P: AuthProxy>(proxy: &Proxy<P>, extensions: &'e Extensions) -> Option<&'e Arc<Memo<P>>> {
    let StoredMemo(memo) = extensions.get::<StoredMemo<P>>()?;
    Arc::ptr_eq(&memo.shared, proxy.shared()).then_some(memo)
}

/// Marks the response to a request as personal, without reading the credential.
pub(crate) fn mark_personal<P: AuthProxy>(proxy: &Proxy<P>, extensions: &Extensions) {
    if let Some(memo) = stored(proxy, extensions) {
        memo.mark_personal();
    }
}

impl<'v, P: AuthProxy> RequestAuth<'v, P> {
    /// Returns the shared state of a request. The first extractor or guard creates it.
    pub(crate) fn of(proxy: Proxy<P>, parts: &'v mut Parts) -> Self {
        let memo = Self::keep(&proxy, &mut parts.extensions, false);
        memo.mark_personal();
        let shared = proxy.shared();
        let names = *memo.names.get_or_init(|| shared.names_of(Some(parts)).indexes());
        Self { proxy, headers: &parts.headers, names, request: Some(InRequest { parts, memo }) }
    }

    /// The memo in a request's extensions. Puts an empty one there if there is none.
    pub(super) fn keep(proxy: &Proxy<P>, extensions: &mut Extensions, relayed: bool) -> Arc<Memo<P>> {
        if let Some(memo) = stored(proxy, extensions) {
            memo.relayed.fetch_or(relayed, Ordering::Relaxed);
            return Arc::clone(memo);
        }
        let memo = Arc::new(Memo::new(Arc::clone(proxy.shared()), relayed));
        extensions.insert(StoredMemo(Arc::clone(&memo)));
        memo
    }

    /// The same for headers alone, in code outside of handlers.
    pub(crate) fn of_headers(proxy: Proxy<P>, headers: &'v HeaderMap) -> Self {
        let shared = proxy.shared();
        // This fails outside of the relay layer, where nothing reads the mark.
        let names = CURRENT.try_with(|memo| {
            memo.mark_personal();
            memo.names(shared)
        });
        let names = names.ok().flatten().unwrap_or_else(|| shared.names_of(None).indexes());
        Self { proxy, headers, names, request: None }
    }

    fn memo(&self) -> Option<&Memo<P>> {
        self.request.as_ref().map(|request| &*request.memo)
    }

    /// The session cookie names that count for this request.
    fn names(&self) -> NamesInPlay<'_> {
        self.proxy.shared().names.at(self.names)
    }

    /// The session token of the request, from its cookies or its `Authorization` header. `None` if it has none.
    pub(crate) fn credential(&self) -> Found<Arc<Credential>> {
        let read = || {
            let candidate = self.proxy.shared().candidate(self.headers, self.names())?;
            Ok(candidate.map(Candidate::into_credential).transpose()?.map(Arc::new))
        };
        once(self.memo().map(|memo| &memo.credential), read)
    }

    /// The token, decrypted or verified here. Call it only if the proxy [`decodes`](Self::decodes) tokens.
    pub(crate) fn verified(&self) -> Found<Arc<Verified>> {
        let verify = || self.proxy.shared().verified(self.headers, self.names());
        once(self.memo().map(|memo| &memo.verified), verify)
    }

    /// Whether this process decodes tokens itself.
    pub(crate) fn decodes(&self) -> bool {
        self.proxy.shared().verifier.is_some()
    }

    fn client(&self) -> Result<ClientInfo, AuthError> {
        let settings = &self.proxy.shared().settings;
        match &self.request {
            Some(request) => ClientInfo::of(request.parts, settings),
            None => ClientInfo::of_headers(self.headers, settings),
        }
    }

    async fn cached_session(&self) -> Found<CachedSession> {
        let find = async || match self.proxy.shared().settings.source {
            Source::Local => self.local_session(),
            // Boxed, so that handlers without a lookup keep a small future.
            Source::Upstream | _ => Box::pin(self.upstream_session()).await,
        };
        match self.memo() {
            Some(memo) => memo.session.get_or_init(find).await.clone(),
            None => {
                let found = find().await;
                if matches!(&found, Ok(Some(session)) if session.is_stale()) {
                    CURRENT.try_with(|memo| memo.mark_stale()).ok();
                }
                found
            }
        }
    }

    fn local_session(&self) -> Found<CachedSession> {
        let Some(verified) = self.verified()? else { return Ok(None) };
        let mapping = self.proxy.shared().mapping.as_ref();
        // Size 0: the session is cached together with its token, whose size is counted already.
        let make =
            |claims: &_| mapping::session(mapping, claims).map(|session| CachedSession::new(session, 0));
        let session = verified.derived::<Option<CachedSession>>(|claims| make(claims))?;
        Ok(Option::clone(&session))
    }

    async fn upstream_session(&self) -> Found<CachedSession> {
        let Some(credential) = self.credential()? else { return Ok(None) };
        let start = Instant::now();
        let found = lookup::find(self.proxy.shared(), self.client()?, self.names(), &credential).await;
        let (outcome, code, source) = match &found {
            Ok(found) => (found.answer.outcome(), "", found.source.name()),
            Err(error) if UNASKED.iter().any(|reason| error.is(reason)) => {
                (error.outcome().name(), error.code(), "unasked")
            }
            Err(error) => (error.outcome().name(), error.code(), "upstream"),
        };
        tracing::debug!(
            target: "auth_proxy::lookup",
            outcome,
            code,
            source,
            took = ?start.elapsed(),
            "session looked up"
        );
        let found = found?;
        if let Some(renewed) = found.renewed.filter(|_| !credential.is_bearer()) {
            self.keep_renewed(renewed);
        }
        match found.answer {
            Answer::Session(session) => Ok(Some(session)),
            Answer::SignedOut => Ok(None),
            Answer::Refused => Err(AuthError::new(Reason::SESSION_REFUSED).by_bearer(credential.is_bearer())),
        }
    }

    /// Keeps cookies for the relay layer.
    fn keep_renewed(&self, renewed: Renewed) {
        let shared = self.proxy.shared();
        // A call with bare headers has no response that could carry the cookies.
        let Some(memo) = self.memo() else { return };
        if !memo.relayed.load(Ordering::Relaxed) {
            shared.warn_once(Warning::CookiesNotRelayed);
        }
        if shared.sessions.should_relay(&renewed) {
            memo.renewed.set(renewed).ok();
        }
    }

    /// The session, deserialized into the app's type.
    pub(crate) async fn session(&self) -> Found<Session<P>> {
        let found = self.cached_session().await?;
        found.map(|session| Ok(Session::new(session.typed()?, session.is_stale()))).transpose()
    }

    /// The claims, deserialized into the app's type: the claims of the token if it is decoded here, else those of the
    /// session.
    pub(crate) async fn token(&self) -> Found<Arc<P::Claims>> {
        if let Some(known) = self.memo().and_then(|memo| memo.token.get()) {
            return known.clone();
        }
        let token = if self.decodes() {
            self.verified().and_then(|verified| verified.map(|verified| verified.claims()).transpose())
        } else {
            let claims =
                self.cached_session().await.map(|found| found.map(|found| mapping::claims(found.raw())));
            claims.and_then(|claims| {
                claims
                    .map(|claims| deserialize_into(claims, Reason::CLAIMS_MISMATCH).map(Arc::new))
                    .transpose()
            })
        };
        once(self.memo().map(|memo| &memo.token), || token)
    }
}

/// The value in the memo, computed on first use. Without a memo it is computed each time.
fn once<T: Clone>(memo: Option<&OnceLock<T>>, make: impl FnOnce() -> T) -> T {
    match memo {
        Some(memo) => memo.get_or_init(make).clone(),
        None => make(),
    }
}
