//! Reads the credential, the token and the session of one request.

use std::sync::{Arc, OnceLock};

use http::HeaderMap;
use http::request::Parts;

use super::memo::{self, Answers, Found, Head, Memo};
use super::session::SessionSource;
use super::{Session, lookup};
use crate::audit::About;
use crate::config::{RevocationUnavailable, Source};
use crate::cookie::{Candidate, Credential, NameIndexes, NamesInPlay};
use crate::error::{AuthError, Reason};
use crate::forwarded::ClientInfo;
use crate::json::deserialize_into;
use crate::provider::{AuthProxy, Proxy};
use crate::revocation::Standing;
use crate::session::{Answer, CachedSession, Renewed, mapping};
use crate::telemetry::{Lookup, LookupEnd};
use crate::token::Verified;
use crate::warnings::Warning;

/// Reads the session and the token of one request. All extractors and guards of the request share the results, so the
/// credential is looked up once and decoded once.
pub(crate) struct RequestAuth<'v, P: AuthProxy> {
    proxy: Proxy<P>,
    headers: &'v HeaderMap,
    /// The session cookie names of this request. They stay the same when another response reveals the upstream's name.
    names: NameIndexes,
    /// The whole request. `None` if only its headers are known.
    request: Option<InRequest<'v, P>>,
    /// What a test knows about headers alone.
    of_test: Option<Arc<Answers<P>>>,
}

/// The request that is read, with the results that its extractors and guards share.
struct InRequest<'v, P: AuthProxy> {
    parts: &'v Parts,
    memo: Memo<P>,
    /// Whether a response may carry the cookies of a lookup to the browser.
    has_response: bool,
}

/// The copy of a session in the cookies of a credential.
enum CookieCopy {
    Session(CachedSession),
    /// It cannot be used now, and the upstream must not answer from it either.
    NotUsed,
    None,
}

impl<'v, P: AuthProxy> RequestAuth<'v, P> {
    /// Returns the shared state of a request. The first extractor or guard creates it.
    pub(crate) fn of(proxy: Proxy<P>, parts: &'v mut Parts) -> Self {
        let memo = Memo::of(&proxy, parts);
        memo.response.mark_personal();
        memo::mark_current_personal();
        let names = memo.answers.names;
        let request = InRequest { parts, memo, has_response: true };
        Self { proxy, headers: &parts.headers, names, request: Some(request), of_test: None }
    }

    /// Asks again for the session of a request that is answered, or under way: with its head, and without a response.
    pub(super) fn again(proxy: Proxy<P>, parts: &'v mut Parts) -> Self {
        let mut again = Self::of(proxy, parts);
        if let Some(request) = &mut again.request {
            request.has_response = false;
        }
        again
    }

    /// The same for headers alone, in code outside of handlers.
    pub(crate) fn of_headers(proxy: Proxy<P>, headers: &'v HeaderMap) -> Self {
        let shared = proxy.shared();
        memo::mark_current_personal();
        let names = memo::current_names(shared).unwrap_or_else(|| shared.names_of(None).indexes());
        let of_test = Answers::of_test(shared, headers, names);
        Self { proxy, headers, names, request: None, of_test }
    }

    /// The proxy.
    pub(crate) fn proxy(&self) -> &Proxy<P> {
        &self.proxy
    }

    /// The request. `None` if only its headers are known.
    pub(crate) fn parts(&self) -> Option<&'v Parts> {
        self.request.as_ref().map(|request| request.parts)
    }

    fn answers(&self) -> Option<&Answers<P>> {
        let of_request = self.request.as_ref().map(|request| &request.memo.answers);
        of_request.or(self.of_test.as_ref()).map(|answers| &**answers)
    }

    /// The session cookie names that count for this request.
    fn names(&self) -> NamesInPlay<'_> {
        self.proxy.shared().names.at(self.names)
    }

    /// The session token of the request, from its cookies or its `Authorization` header. `None` if it has none.
    pub(crate) fn credential(&self) -> Found<Arc<Credential>> {
        let read = || {
            let candidate = self.proxy.shared().candidate(self.headers, self.names())?;
            let copy = |candidate: Candidate<'_>| {
                let name = self.names().get(candidate.name()).filter(|_| !candidate.is_bearer());
                let companions = name.map(|name| name.companions.read(self.headers)).unwrap_or_default();
                candidate.into_credential(companions)
            };
            Ok(candidate.map(copy).transpose()?.map(Arc::new))
        };
        once(self.answers().map(|answers| &answers.credential), read)
    }

    /// The token, decrypted or verified here. Call it only if the proxy [`decodes`](Self::decodes) tokens.
    pub(crate) async fn verified(&self) -> Found<Arc<Verified>> {
        if let Some(known) = self.answers().and_then(|answers| answers.verified.get()) {
            return known.clone();
        }
        let verified = self.proxy.shared().verified(self.headers, self.names()).await;
        let verified = self.unless_revoked(verified).await;
        once(self.answers().map(|answers| &answers.verified), || verified)
    }

    /// Refuses a token that was revoked. If that is not known, `session.revocation_unavailable` decides.
    async fn unless_revoked(&self, found: Found<Arc<Verified>>) -> Found<Arc<Verified>> {
        let shared = self.proxy.shared();
        let Ok(Some(verified)) = &found else { return found };
        let credential = || self.credential().ok().flatten();
        let token = || credential().map(|credential| credential.token().to_owned().into());
        let error = |reason| {
            let is_bearer = credential().is_some_and(|credential| credential.is_bearer());
            Err(AuthError::new(reason).by_bearer(is_bearer))
        };
        match shared.standing(verified, token) {
            Standing::Good => found,
            Standing::Revoked => error(Reason::SESSION_REVOKED),
            Standing::Unknown => match shared.settings.revocation_unavailable {
                RevocationUnavailable::Allow => found,
                // The upstream does not know the tokens that it issued beside its sessions.
                RevocationUnavailable::AskUpstream if shared.settings.has_sign_in() && self.decodes() => {
                    let Some(credential) = self.credential()? else { return Ok(None) };
                    match Box::pin(self.look_up(&credential, false)).await? {
                        Answer::Session(_) => found,
                        _ => error(Reason::SESSION_REFUSED),
                    }
                }
                _ => Err(AuthError::new(Reason::REVOCATION_UNKNOWN)),
            },
        }
    }

    /// Whether a cookie cache may be used now. If it is not known which sessions were revoked, the option decides. It is not
    /// sent to the upstream then, which would answer from it.
    ///
    /// # Errors
    /// `revocation_unknown`.
    fn may_use_cookie_cache(&self) -> Result<bool, AuthError> {
        let shared = self.proxy.shared();
        if shared.sessions.revocations().is_none() || shared.sessions.knows_revocations() {
            return Ok(true);
        }
        match shared.settings.revocation_unavailable {
            RevocationUnavailable::Allow => Ok(true),
            RevocationUnavailable::AskUpstream => Ok(false),
            RevocationUnavailable::Refuse | _ => Err(AuthError::new(Reason::REVOCATION_UNKNOWN)),
        }
    }

    /// Refuses a credential whose token was revoked, before the upstream is asked for its session: the upstream does not
    /// know of the revocation.
    ///
    /// # Errors
    /// `session_revoked`.
    pub(super) async fn check_revoked(&self, credential: &Credential) -> Result<(), AuthError> {
        let shared = self.proxy.shared();
        if shared.sessions.revocations().is_none() {
            return Ok(());
        }
        if shared.is_listed(credential.token()) {
            return Err(AuthError::new(Reason::SESSION_REVOKED).by_bearer(credential.is_bearer()));
        }
        if !self.decodes() {
            return Ok(());
        }
        // Not `self.verified()`: if the list may be incomplete, that asks the upstream, which is asked for the session anyway.
        match Box::pin(shared.verified(self.headers, self.names())).await {
            Ok(Some(verified))
                if shared.standing(&verified, || Some(credential.token().into())) == Standing::Revoked =>
            {
                Err(AuthError::new(Reason::SESSION_REVOKED).by_bearer(credential.is_bearer()))
            }
            _ => Ok(()),
        }
    }

    /// The token that the upstream issued beside its sessions, verified here. `None` if the credential is another one.
    async fn issued(&self) -> Found<Arc<Verified>> {
        if self.proxy.shared().bearer_issuer.is_none() {
            return Ok(None);
        }
        if let Some(known) = self.answers().and_then(|answers| answers.verified.get()) {
            return known.clone();
        }
        let issued = Box::pin(self.proxy.shared().issued(self.headers, self.names())).await;
        let issued = self.unless_revoked(issued).await;
        once(self.answers().map(|answers| &answers.verified), || issued)
    }

    /// Whether this process decodes tokens itself.
    pub(crate) fn decodes(&self) -> bool {
        self.proxy.shared().verifier.is_some()
    }

    /// The token whose claims are those of this request. `None` if there is none, or the claims are those of the session.
    pub(crate) async fn own_claims(&self) -> Found<Arc<Verified>> {
        if self.decodes() { self.verified().await } else { self.issued().await }
    }

    fn client(&self) -> Result<ClientInfo, AuthError> {
        let settings = &self.proxy.shared().settings;
        match &self.request {
            Some(request) => ClientInfo::of(request.parts, settings),
            None => ClientInfo::of_headers(self.headers, settings),
        }
    }

    /// The session as the upstream sent it.
    pub(super) async fn cached_session(&self) -> Found<CachedSession> {
        let find = async || match self.proxy.shared().settings.source {
            Source::Local => self.local_session().await,
            Source::Upstream | _ => self.upstream_session().await,
        };
        let found = match self.answers() {
            Some(answers) => answers.session.get_or_init(find).await.clone(),
            None => find().await,
        };
        if matches!(&found, Ok(Some(session)) if session.is_stale()) {
            self.request.iter().for_each(|request| request.memo.response.mark_stale());
            memo::mark_current_stale();
        }
        found
    }

    async fn local_session(&self) -> Found<CachedSession> {
        self.verified().await?.map_or(Ok(None), |verified| self.session_of(&verified))
    }

    /// The session that the mapping makes of a token.
    fn session_of(&self, verified: &Verified) -> Found<CachedSession> {
        let mapping = self.proxy.shared().mapping.as_ref();
        // Size 0: the session is cached together with its token, whose size is counted already.
        let make =
            |claims: &_| mapping::session(mapping, claims).map(|session| CachedSession::new(session, 0));
        let session = verified.derived::<Option<CachedSession>>(|claims| make(claims))?;
        Ok(Option::clone(&session))
    }

    async fn upstream_session(&self) -> Found<CachedSession> {
        if let Some(verified) = self.issued().await? {
            return self.session_of(&verified);
        }
        let Some(credential) = self.credential()? else { return Ok(None) };
        match self.look_up(&credential, true).await? {
            Answer::Session(session) => Ok(Some(session)),
            Answer::SignedOut => Ok(None),
            Answer::Refused => Err(AuthError::new(Reason::SESSION_REFUSED).by_bearer(credential.is_bearer())),
        }
    }

    /// What the upstream says about a credential, or a cache in front of it. `may_use_copy`: whether a copy of the session in
    /// the credential's cookies counts too.
    async fn look_up(&self, credential: &Arc<Credential>, may_use_copy: bool) -> Result<Answer, AuthError> {
        let lookup = Lookup::begin();
        let (source, answer) = lookup.run(self.find(credential, may_use_copy)).await;
        let end = match &answer {
            Ok(answer) => LookupEnd { outcome: answer.outcome(), code: None, source },
            Err(error) => LookupEnd { outcome: error.outcome().name(), code: Some(error.code()), source },
        };
        let stale = match &answer {
            Ok(Answer::Session(session)) if session.is_stale() => Some(session),
            _ => None,
        };
        let audit = &self.proxy.shared().audit;
        audit.looked_up(lookup, end, stale.is_some(), || self.about_session(stale));
        answer
    }

    /// The answer for a credential, and where it was found.
    async fn find(
        &self,
        credential: &Arc<Credential>,
        may_use_copy: bool,
    ) -> (&'static str, Result<Answer, AuthError>) {
        let shared = self.proxy.shared();
        let mut sends_cache = may_use_copy;
        if may_use_copy {
            match self.copy_of_session(credential).await {
                Ok(CookieCopy::Session(session)) => return ("cookie_cache", Ok(Answer::Session(session))),
                Ok(CookieCopy::NotUsed) => sends_cache = false,
                Ok(CookieCopy::None) => {}
                Err(error) => return ("unasked", Err(error)),
            }
        }
        let client = match self.client() {
            Ok(client) => client,
            Err(error) => return ("unasked", Err(error)),
        };
        let found = match lookup::find(shared, client, self.names(), credential, sends_cache).await {
            Ok(found) => found,
            Err(error) if error.is_unasked() => return ("unasked", Err(error)),
            Err(error) => return ("upstream", Err(error)),
        };
        if !credential.is_bearer() {
            self.keep_cookies(found.renewed, found.source.is_upstream(), credential);
        }
        (found.source.name(), Ok(found.answer))
    }

    /// The copy of the session in the cookies of a credential that may have a session.
    ///
    /// # Errors
    /// `session_revoked`, `token_tampered`, `revocation_unknown`.
    async fn copy_of_session(&self, credential: &Credential) -> Result<CookieCopy, AuthError> {
        let shared = self.proxy.shared();
        self.check_revoked(credential).await?;
        shared.check_signature(credential)?;
        match shared.session_in_cookie_cache(credential) {
            // Not sent to the upstream either, which would answer from it.
            Some(session) if !shared.sessions.may_trust_user(&session) => Ok(CookieCopy::NotUsed),
            Some(session) if self.may_use_cookie_cache()? => Ok(CookieCopy::Session(session)),
            Some(_) => Ok(CookieCopy::NotUsed),
            None => Ok(CookieCopy::None),
        }
    }

    /// Keeps the cookies of a lookup for the relay layer. `is_of_upstream`: whether the upstream was asked.
    fn keep_cookies(&self, renewed: Option<Renewed>, is_of_upstream: bool, credential: &Credential) {
        if renewed.is_none() && !is_of_upstream {
            return;
        }
        let shared = self.proxy.shared();
        // Without a response, the cookies cannot reach the browser. They then count as not relayed: the next request gets them.
        let Some(InRequest { memo: Memo { response, .. }, has_response: true, .. }) = &self.request else {
            return;
        };
        if !response.is_of_browser(credential, self.names()) {
            return;
        }
        if let Some(renewed) = renewed {
            if !response.is_relayed() {
                shared.warn_once(Warning::CookiesNotRelayed);
            }
            if !shared.sessions.should_relay(&renewed) {
                return;
            }
            response.keep_renewed(renewed);
        }
        if is_of_upstream {
            response.note_asked();
        }
    }

    /// Whether the response gives the browser all that a forwarded request for the session would.
    pub(super) fn is_asked(&self) -> bool {
        self.request.as_ref().is_some_and(|request| request.memo.response.is_asked())
    }

    /// What is known of the request, for an audit event. Nothing is looked up or decoded for it.
    pub(crate) fn about(&self) -> About {
        let session = self.answers().and_then(|answers| answers.session.get()?.as_ref().ok()?.as_ref());
        self.about_session(session)
    }

    /// The same with the session of the request, if there is one.
    fn about_session(&self, session: Option<&CachedSession>) -> About {
        let shared = self.proxy.shared();
        let credential = self.credential().ok().flatten();
        let of_session = session.and_then(|session| mapping::subject(shared.dialect, &session.raw()));
        let of_token = || self.answers()?.verified.get()?.as_ref().ok()?.as_ref()?.names().sub;
        About {
            subject: of_session.or_else(of_token),
            session: credential.map(|credential| shared.session_hash(credential.token())),
            client: self
                .request
                .as_ref()
                .and_then(|request| ClientInfo::address_of(request.parts, &shared.settings)),
        }
    }

    /// The session, deserialized into the app's type.
    pub(crate) async fn session(&self) -> Found<Session<P>> {
        Ok(self.session_and_raw().await?.map(|(session, _)| session))
    }

    /// The session, and the same as the upstream sent it.
    pub(crate) async fn session_and_raw(&self) -> Found<(Session<P>, CachedSession)> {
        let found = self.cached_session().await?;
        let head = || match self.answers() {
            Some(answers) => Arc::clone(&answers.head),
            None => Arc::new(Head::of_headers(self.headers)),
        };
        let source = || SessionSource { proxy: self.proxy.clone(), head: head() };
        found.map(|raw| Ok((Session::new(raw.typed()?, raw.is_stale(), Some(source())), raw))).transpose()
    }

    /// The claims, deserialized into the app's type: the claims of the token if it is decoded here, else those of the
    /// session.
    pub(crate) async fn token(&self) -> Found<Arc<P::Claims>> {
        if let Some(known) = self.answers().and_then(|answers| answers.token.get()) {
            return known.clone();
        }
        let verified = self.own_claims().await;
        let token = if self.decodes() || !matches!(verified, Ok(None)) {
            verified.and_then(|verified| verified.map(|verified| verified.claims()).transpose())
        } else {
            let claims = self
                .cached_session()
                .await
                .map(|found| found.map(|found| mapping::claims(self.proxy.shared().dialect, &found.raw())));
            claims.and_then(|claims| {
                claims
                    .map(|claims| deserialize_into(claims, Reason::CLAIMS_MISMATCH).map(Arc::new))
                    .transpose()
            })
        };
        once(self.answers().map(|answers| &answers.token), || token)
    }
}

/// The value in the memo, computed on first use. Without a memo it is computed each time.
fn once<T: Clone>(place: Option<&OnceLock<T>>, make: impl FnOnce() -> T) -> T {
    match place {
        Some(place) => place.get_or_init(make).clone(),
        None => make(),
    }
}
