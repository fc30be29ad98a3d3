use std::sync::Arc;

use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderValue};
use serde_json::{Map, Value};
use tokio::sync::OnceCell;

use super::data::SessionData;
use super::wire::RawSession;
use super::{local, lookup};
use crate::diagnosis::Finding;
use crate::error::{AuthError, Reason};
use crate::provider::{Provider, Proxy};
use crate::session::fit;
use crate::token::Credential;
use crate::upstream::Front;

type Found<T> = Result<Option<Arc<T>>, AuthError>;

/// One request's view of a proxy: whatever number of extractors and guards asks, the credential is
/// looked up once and decoded once.
pub(crate) struct Visit<P: Provider> {
    proxy: Proxy<P>,
    headers: HeaderMap,
    front: Result<Front, AuthError>,
    memo: Arc<Memo<P>>,
}

pub(super) struct Memo<P: Provider> {
    /// Whether a layer waits for the cookies of the lookup.
    relayed: bool,
    /// The session cookies that the upstream set or cleared in a lookup by cookie.
    renewed: OnceCell<Vec<HeaderValue>>,
    credential: OnceCell<Found<Credential>>,
    claims: OnceCell<Found<Map<String, Value>>>,
    raw: OnceCell<Found<RawSession>>,
    session: OnceCell<Found<SessionData<P::User>>>,
    token: OnceCell<Found<P::Claims>>,
}

impl<P: Provider> Memo<P> {
    fn new(relayed: bool) -> Self {
        Self {
            relayed,
            renewed: OnceCell::new(),
            credential: OnceCell::new(),
            claims: OnceCell::new(),
            raw: OnceCell::new(),
            session: OnceCell::new(),
            token: OnceCell::new(),
        }
    }

    /// The session cookies that a lookup brought back, if there was one.
    pub(super) fn renewed(&self) -> &[HeaderValue] {
        self.renewed.get().map_or(&[], Vec::as_slice)
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

impl<P: Provider> Visit<P> {
    /// The visit that a request belongs to.
    pub(crate) fn of(proxy: Proxy<P>, parts: &mut Parts) -> Self {
        let memo = match parts.extensions.get::<Kept<P>>() {
            Some(kept) if Arc::ptr_eq(kept.proxy.shared(), proxy.shared()) => Arc::clone(&kept.memo),
            _ => Self::keep(&proxy, &mut parts.extensions, false),
        };
        let front = Front::of(parts, &proxy.shared().settings.trusted_proxies);
        Self { proxy, headers: parts.headers.clone(), front, memo }
    }

    /// Puts a memo into a request whose response will get the cookies of the lookup.
    pub(super) fn keep(proxy: &Proxy<P>, extensions: &mut Extensions, relayed: bool) -> Arc<Memo<P>> {
        let memo = Arc::new(Memo::new(relayed));
        extensions.insert(Kept { proxy: proxy.clone(), memo: Arc::clone(&memo) });
        memo
    }

    /// A visit of its own, for code outside of handlers.
    pub(crate) fn of_headers(proxy: Proxy<P>, headers: &HeaderMap) -> Self {
        Self {
            proxy,
            headers: headers.clone(),
            front: Front::of_headers(headers),
            memo: Arc::new(Memo::new(false)),
        }
    }

    /// The credential that was sent.
    pub(crate) async fn credential(&self) -> Found<Credential> {
        let read = async || Ok(self.proxy.shared().credential(&self.headers)?.map(Arc::new));
        self.memo.credential.get_or_init(read).await.clone()
    }

    /// The claims of the token, decoded here. Only where the proxy [`decodes`](Self::decodes).
    pub(crate) async fn claims(&self) -> Found<Map<String, Value>> {
        let decode = async || {
            let Some(credential) = self.credential().await? else { return Ok(None) };
            self.proxy.shared().decode(&credential).map(|claims| Some(Arc::new(claims)))
        };
        self.memo.claims.get_or_init(decode).await.clone()
    }

    /// Whether tokens are decoded here.
    pub(crate) fn decodes(&self) -> bool {
        self.proxy.shared().decoder.is_some()
    }

    async fn raw_session(&self) -> Found<RawSession> {
        let find = async || {
            let Some(credential) = self.credential().await? else { return Ok(None) };
            let shared = self.proxy.shared();
            let mut renewed = Vec::new();
            let session =
                lookup::session(shared, &self.headers, self.front.clone(), &credential, &mut renewed).await;
            if !renewed.is_empty() && !credential.is_bearer() {
                if !self.memo.relayed {
                    shared.say(Finding::CookiesLost);
                }
                self.memo.renewed.set(renewed).ok();
            }
            Ok(session?.map(Arc::new))
        };
        self.memo.raw.get_or_init(find).await.clone()
    }

    /// The session, in the app's type.
    pub(crate) async fn session(&self) -> Found<SessionData<P::User>> {
        let find = async || {
            let Some(raw) = self.raw_session().await? else { return Ok(None) };
            let user = fit(raw.user.clone(), Reason::USER_MISMATCH)?;
            let data = SessionData { user, expires: raw.expires, extra: raw.extra.clone() };
            Ok(Some(Arc::new(data)))
        };
        self.memo.session.get_or_init(find).await.clone()
    }

    /// The claims, in the app's type: of the token where it is decoded here, else of the session.
    pub(crate) async fn token(&self) -> Found<P::Claims> {
        let find = async || {
            let claims = if self.decodes() {
                self.claims().await?.map(|claims| claims.as_ref().clone())
            } else {
                self.raw_session().await?.map(|session| local::claims(&session))
            };
            claims.map(|claims| fit(claims, Reason::CLAIMS_MISMATCH).map(Arc::new)).transpose()
        };
        self.memo.token.get_or_init(find).await.clone()
    }
}
