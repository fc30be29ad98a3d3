//! One request's view of a proxy: what its extractors, guards and layers share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderValue};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::{Session, lookup};
use crate::config::Source;
use crate::cookie::{Candidate, Credential, NameIndexes, NamesInPlay};
use crate::error::{AuthError, Reason};
use crate::forwarded::ClientInfo;
use crate::json::deserialize_into;
use crate::provider::{AuthProxy, Proxy};
use crate::session::{Answer, CachedSession, Renewed, mapping};
use crate::token::Verified;
use crate::warnings::Warning;

tokio::task_local! {
    /// Set when the response to the request of this task depends on its visitor.
    static PERSONAL: Arc<AtomicBool>;
}

type Found<T> = Result<Option<T>, AuthError>;

/// One request's view of a proxy. However many extractors and guards use it, the credential is looked up once and decoded
/// once.
pub(crate) struct RequestAuth<'v, P: AuthProxy> {
    proxy: Proxy<P>,
    headers: &'v HeaderMap,
    /// The request, where there is one and not its headers alone.
    parts: Option<&'v Parts>,
    memo: Arc<Memo<P>>,
}

pub(super) struct Memo<P: AuthProxy> {
    /// Whether the relay layer will add the cookies of the lookup to the response.
    relayed: bool,
    /// Whether the response depends on the visitor.
    is_personal: Arc<AtomicBool>,
    /// The session cookies that the upstream set or cleared in a lookup by cookie.
    renewed: OnceLock<Renewed>,
    /// The cookie names that count for this request. What other responses teach about them meanwhile does not change it.
    names: OnceLock<NameIndexes>,
    credential: OnceLock<Found<Arc<Credential>>>,
    verified: OnceLock<Found<Arc<Verified>>>,
    session: OnceCell<Found<CachedSession>>,
    token: OnceLock<Found<Arc<P::Claims>>>,
}

impl<P: AuthProxy> Memo<P> {
    fn new(relayed: bool) -> Self {
        Self {
            relayed,
            is_personal: Arc::default(),
            renewed: OnceLock::new(),
            names: OnceLock::new(),
            credential: OnceLock::new(),
            verified: OnceLock::new(),
            session: OnceCell::new(),
            token: OnceLock::new(),
        }
    }

    /// Whether the session is a stale one.
    pub(super) fn is_stale(&self) -> bool {
        matches!(self.session.get(), Some(Ok(Some(session))) if session.is_stale())
    }

    /// Runs the handler, so that a call of `Proxy::session` with the request's headers marks the response too.
    pub(super) async fn watching<T>(&self, answer: impl Future<Output = T>) -> T {
        PERSONAL.scope(Arc::clone(&self.is_personal), answer).await
    }

    /// Whether the response depends on the visitor.
    pub(super) fn is_personal(&self) -> bool {
        self.is_personal.load(Ordering::Relaxed)
    }

    /// The session cookies of the lookup, unless the session was ended since.
    pub(super) fn renewed(&self) -> &[HeaderValue] {
        self.renewed.get().map_or(&[], Renewed::cookies)
    }
}

/// The memo of a request in its extensions, with its proxy: an app may have several proxies of one type, each with a
/// memo of its own.
struct Kept<P: AuthProxy> {
    proxy: Proxy<P>,
    memo: Arc<Memo<P>>,
}

impl<P: AuthProxy> Clone for Kept<P> {
    fn clone(&self) -> Self {
        Self { proxy: self.proxy.clone(), memo: Arc::clone(&self.memo) }
    }
}

/// Marks the response to a request as personal, without looking at the credential.
pub(crate) fn mark_personal<P: AuthProxy>(proxy: &Proxy<P>, extensions: &Extensions) {
    if let Some(kept) = extensions.get::<Kept<P>>()
        && Arc::ptr_eq(kept.proxy.shared(), proxy.shared())
    {
        kept.memo.is_personal.store(true, Ordering::Relaxed);
    }
}

impl<'v, P: AuthProxy> RequestAuth<'v, P> {
    /// The view of a request, made when the first extractor or guard wants it.
    pub(crate) fn of(proxy: Proxy<P>, parts: &'v mut Parts) -> Self {
        let memo = match parts.extensions.get::<Kept<P>>() {
            Some(kept) if Arc::ptr_eq(kept.proxy.shared(), proxy.shared()) => Arc::clone(&kept.memo),
            _ => Self::keep(&proxy, &mut parts.extensions, false),
        };
        memo.is_personal.store(true, Ordering::Relaxed);
        Self { proxy, headers: &parts.headers, parts: Some(parts), memo }
    }

    /// Puts an empty memo into a request's extensions.
    pub(super) fn keep(proxy: &Proxy<P>, extensions: &mut Extensions, relayed: bool) -> Arc<Memo<P>> {
        let memo = Arc::new(Memo::new(relayed));
        extensions.insert(Kept { proxy: proxy.clone(), memo: Arc::clone(&memo) });
        memo
    }

    /// The view of headers alone, for code outside of handlers.
    pub(crate) fn of_headers(proxy: Proxy<P>, headers: &'v HeaderMap) -> Self {
        // Fails outside of the relay layer, which is the one that reads the mark.
        PERSONAL.try_with(|personal| personal.store(true, Ordering::Relaxed)).ok();
        Self { proxy, headers, parts: None, memo: Arc::new(Memo::new(false)) }
    }

    /// The session cookie names that count for this request.
    fn names(&self) -> NamesInPlay<'_> {
        let shared = self.proxy.shared();
        shared.names.at(*self.memo.names.get_or_init(|| shared.names_of(self.parts).indexes()))
    }

    /// The credential of the request.
    pub(crate) fn credential(&self) -> Found<Arc<Credential>> {
        let read = || {
            let candidate = self.proxy.shared().candidate(self.headers, self.names())?;
            Ok(candidate.map(Candidate::into_credential).transpose()?.map(Arc::new))
        };
        self.memo.credential.get_or_init(read).clone()
    }

    /// The token, decrypted or verified here. Only when the proxy [`decodes`](Self::decodes) tokens.
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
            // Boxed: handlers that never look up a session keep a small future.
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
        tracing::debug!(
            target: "auth_proxy::lookup",
            outcome,
            code,
            source,
            took = ?began.elapsed(),
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
        if !self.memo.relayed {
            shared.warn_once(Warning::CookiesNotRelayed);
        }
        if shared.sessions.is_worth_relaying(&renewed) {
            self.memo.renewed.set(renewed).ok();
        }
    }

    /// The session in the app's type.
    pub(crate) async fn session(&self) -> Found<Session<P>> {
        let found = self.cached_session().await?;
        found.map(|session| Ok(Session::new(session.typed()?, session.is_stale()))).transpose()
    }

    /// The claims in the app's type: those of the token when it is decoded here, else those of the session.
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
