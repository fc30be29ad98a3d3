//! One request's view of a proxy: what its extractors, guards and layers share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderValue};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::{Session, lookup};
use crate::config::Source;
use crate::cookie::{Candidate, Credential, NamesInPlay, Places};
use crate::error::{AuthError, Reason};
use crate::forwarded::ClientInfo;
use crate::json::deserialize_into;
use crate::provider::{Provider, Proxy};
use crate::session::{Answer, CachedSession, Renewed, mapping};
use crate::token::Verified;
use crate::warnings::Warning;

tokio::task_local! {
    /// Of the request that this task answers: whether its answer depends on who asks.
    static ASKED: Arc<AtomicBool>;
}

type Found<T> = Result<Option<T>, AuthError>;

/// One request's view of a proxy: whatever number of extractors and guards asks, the credential is
/// looked up once and decoded once.
pub(crate) struct RequestAuth<'v, P: Provider> {
    proxy: Proxy<P>,
    headers: &'v HeaderMap,
    /// The request, where there is one and not its headers alone.
    parts: Option<&'v Parts>,
    memo: Arc<Memo<P>>,
}

pub(super) struct Memo<P: Provider> {
    /// Whether a layer waits for what is found out here.
    relayed: bool,
    /// Whether the answer depends on who asks.
    asked: Arc<AtomicBool>,
    /// The session cookies that the upstream set or cleared in a lookup by cookie.
    renewed: OnceLock<Renewed>,
    /// The places of the names that count: what is learned of them meanwhile is for the next request.
    names: OnceLock<Places>,
    credential: OnceLock<Found<Arc<Credential>>>,
    verified: OnceLock<Found<Arc<Verified>>>,
    session: OnceCell<Found<CachedSession>>,
    token: OnceLock<Found<Arc<P::Claims>>>,
}

impl<P: Provider> Memo<P> {
    fn new(relayed: bool) -> Self {
        Self {
            relayed,
            asked: Arc::default(),
            renewed: OnceLock::new(),
            names: OnceLock::new(),
            credential: OnceLock::new(),
            verified: OnceLock::new(),
            session: OnceCell::new(),
            token: OnceLock::new(),
        }
    }

    /// Whether the session was used past its time.
    pub(super) fn is_stale(&self) -> bool {
        matches!(self.session.get(), Some(Ok(Some(session))) if session.is_stale())
    }

    /// Runs what answers the request, so that a handler that looks at headers by hand is noticed too.
    pub(super) async fn noticing<T>(&self, answer: impl Future<Output = T>) -> T {
        ASKED.scope(Arc::clone(&self.asked), answer).await
    }

    /// Whether anything was asked of the visitor.
    pub(super) fn was_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// The session cookies that a lookup brought back, if there was one and nothing ended the session since.
    pub(super) fn renewed(&self) -> &[HeaderValue] {
        self.renewed.get().map_or(&[], Renewed::cookies)
    }
}

/// The memo of a request, and the proxy that it belongs to: a program may build several of one type,
/// and what one has found out is not the other's.
struct Kept<P: Provider> {
    proxy: Proxy<P>,
    memo: Arc<Memo<P>>,
}

impl<P: Provider> Clone for Kept<P> {
    fn clone(&self) -> Self {
        Self { proxy: self.proxy.clone(), memo: Arc::clone(&self.memo) }
    }
}

/// Notes that the answer to a request depends on who asks, without looking at the credential.
pub(crate) fn mark_personal<P: Provider>(proxy: &Proxy<P>, extensions: &Extensions) {
    if let Some(kept) = extensions.get::<Kept<P>>()
        && Arc::ptr_eq(kept.proxy.shared(), proxy.shared())
    {
        kept.memo.asked.store(true, Ordering::Relaxed);
    }
}

impl<'v, P: Provider> RequestAuth<'v, P> {
    /// The request that a request belongs to.
    pub(crate) fn of(proxy: Proxy<P>, parts: &'v mut Parts) -> Self {
        let memo = match parts.extensions.get::<Kept<P>>() {
            Some(kept) if Arc::ptr_eq(kept.proxy.shared(), proxy.shared()) => Arc::clone(&kept.memo),
            _ => Self::keep(&proxy, &mut parts.extensions, false),
        };
        memo.asked.store(true, Ordering::Relaxed);
        Self { proxy, headers: &parts.headers, parts: Some(parts), memo }
    }

    /// Puts a memo into a request whose response will get the cookies of the lookup.
    pub(super) fn keep(proxy: &Proxy<P>, extensions: &mut Extensions, relayed: bool) -> Arc<Memo<P>> {
        let memo = Arc::new(Memo::new(relayed));
        extensions.insert(Kept { proxy: proxy.clone(), memo: Arc::clone(&memo) });
        memo
    }

    /// A request of its own, for code outside of handlers.
    pub(crate) fn of_headers(proxy: Proxy<P>, headers: &'v HeaderMap) -> Self {
        // Outside of a request behind the layer there is nobody to tell.
        ASKED.try_with(|asked| asked.store(true, Ordering::Relaxed)).ok();
        Self { proxy, headers, parts: None, memo: Arc::new(Memo::new(false)) }
    }

    /// The names that the session cookie may have in this request.
    fn names(&self) -> NamesInPlay<'_> {
        let shared = self.proxy.shared();
        shared.names.at(*self.memo.names.get_or_init(|| shared.names_of(self.parts).places()))
    }

    /// The credential that was sent.
    pub(crate) fn credential(&self) -> Found<Arc<Credential>> {
        let read = || {
            let candidate = self.proxy.shared().candidate(self.headers, self.names())?;
            Ok(candidate.map(Candidate::into_credential).transpose()?.map(Arc::new))
        };
        self.memo.credential.get_or_init(read).clone()
    }

    /// The token, decrypted or verified here. Only where the proxy [`decodes`](Self::decodes).
    pub(crate) fn verified(&self) -> Found<Arc<Verified>> {
        let verify = || self.proxy.shared().verified(self.headers, self.names());
        self.memo.verified.get_or_init(verify).clone()
    }

    /// Whether tokens are decoded here.
    pub(crate) fn decodes(&self) -> bool {
        self.proxy.shared().verifier.is_some()
    }

    fn client(&self) -> Result<ClientInfo, AuthError> {
        let settings = &self.proxy.shared().settings;
        match self.parts {
            Some(parts) => ClientInfo::of(parts, settings),
            None => ClientInfo::of_headers(self.headers, settings),
        }
    }

    async fn cached_session(&self) -> Found<CachedSession> {
        let find = async || match self.proxy.shared().settings.source {
            Source::Local => self.local_session(),
            // Boxed, so that a handler for which nobody is asked has a small future.
            _ => Box::pin(self.upstream_session()).await,
        };
        self.memo.session.get_or_init(find).await.clone()
    }

    fn local_session(&self) -> Found<CachedSession> {
        let Some(verified) = self.verified()? else { return Ok(None) };
        let mapping = self.proxy.shared().mapping.as_ref();
        // Size 0: it is kept with its token, whose size counts.
        let make =
            |claims: &_| mapping::session(mapping, claims).map(|session| CachedSession::new(session, 0));
        let session = verified.derived::<Option<CachedSession>>(|claims| make(claims))?;
        Ok(Option::clone(&session))
    }

    async fn upstream_session(&self) -> Found<CachedSession> {
        let Some(credential) = self.credential()? else { return Ok(None) };
        let began = Instant::now();
        let found = lookup::find(self.proxy.shared(), self.client()?, self.names(), &credential).await;
        let (outcome, code, source) = match &found {
            Ok(found) => (found.answer.outcome(), "", found.source.name()),
            Err(error) if error.is(Reason::TOKEN_MALFORMED) || error.is(Reason::LOOKUP_TOO_LARGE) => {
                (error.outcome().name(), error.code(), "unasked")
            }
            Err(error) => (error.outcome().name(), error.code(), "upstream"),
        };
        tracing::debug!(outcome, code, source, took = ?began.elapsed(), "session looked up");
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

    /// Keeps cookies for the layer, where they are worth it.
    fn keep_renewed(&self, renewed: Renewed) {
        let shared = self.proxy.shared();
        if !self.memo.relayed {
            shared.warn_once(Warning::CookiesNotRelayed);
        }
        if shared.sessions.is_worth_relaying(&renewed) {
            self.memo.renewed.set(renewed).ok();
        }
    }

    /// The session, in the app's type.
    pub(crate) async fn session(&self) -> Found<Session<P>> {
        let found = self.cached_session().await?;
        found.map(|session| Ok(Session::new(session.typed()?, session.is_stale()))).transpose()
    }

    /// The claims, in the app's type: of the token where it is decoded here, else of the session.
    pub(crate) async fn token(&self) -> Found<Arc<P::Claims>> {
        if let Some(known) = self.memo.token.get() {
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
        self.memo.token.get_or_init(|| token).clone()
    }
}
