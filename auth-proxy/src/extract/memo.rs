//! What the layers, extractors and calls of one request share, stored in the request's extensions.
//!
//! Extensions outlive the head that they came with: a middleware changes the headers between a guard and the handler,
//! and a handler copies the extensions into a request of its own. So each result is kept with the part of the head that
//! it depends on, and is used for no other head.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use axum::extract::ConnectInfo;
use http::header::{AUTHORIZATION, COOKIE};
use http::request::Parts;
use http::uri::{Authority, Scheme};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Request, Uri};
use tokio::sync::OnceCell;

use super::test_visitor::TestVisitors;
use crate::cookie::{CREDENTIAL_HEADERS, Credential, NameIndexes, NamesInPlay};
use crate::error::AuthError;
use crate::forwarded::{self, ORIGIN_HEADERS};
use crate::provider::{AuthProxy, Proxy, Shared};
use crate::session::{CachedSession, Renewed};
use crate::token::Verified;

tokio::task_local! {
    /// The response to the current request, for calls such as `Proxy::session` in a handler.
    static CURRENT: Arc<ResponseMemo>;
}

pub(super) type Found<T> = Result<Option<T>, AuthError>;

/// What the response to a request depends on.
pub(super) struct ResponseMemo {
    /// The proxy that the memo belongs to. An app may have several of one type, each with its own memo.
    shared: Arc<Shared>,
    /// The `Cookie` lines that the browser sent.
    cookies: Vec<HeaderValue>,
    /// Whether the relay layer will add the cookies of the lookup to the response.
    is_relayed: AtomicBool,
    /// Whether the response depends on the visitor.
    is_personal: AtomicBool,
    /// Whether the response was made with a stale session.
    is_stale: AtomicBool,
    /// Whether the upstream was asked for the session by the browser's cookie, and all session cookies that it set are relayed.
    is_asked: AtomicBool,
    /// The session cookies that the upstream set or cleared in a lookup by the browser's cookie.
    renewed: OnceLock<Renewed>,
    /// The session cookie names. They stay the same when another response reveals the upstream's name.
    names: OnceLock<NameIndexes>,
    /// The visitors of a test.
    visitors: TestVisitors,
}

impl ResponseMemo {
    /// `names` are those of the request, if they are known already.
    fn new(
        shared: &Arc<Shared>,
        headers: &HeaderMap,
        extensions: &Extensions,
        names: OnceLock<NameIndexes>,
    ) -> Self {
        Self {
            shared: Arc::clone(shared),
            cookies: headers.get_all(COOKIE).iter().cloned().collect(),
            is_relayed: AtomicBool::new(false),
            is_personal: AtomicBool::new(false),
            is_stale: AtomicBool::new(false),
            is_asked: AtomicBool::new(false),
            renewed: OnceLock::new(),
            names,
            visitors: TestVisitors::of(extensions),
        }
    }

    /// Runs the handler. A call of `Proxy::session` in it marks the response as personal too, and uses the same cookie
    /// names.
    pub(super) async fn run_handler<T>(self: Arc<Self>, answer: impl Future<Output = T>) -> T {
        CURRENT.scope(self, answer).await
    }

    /// Notes that the response depends on the visitor.
    pub(super) fn mark_personal(&self) {
        self.is_personal.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_personal(&self) -> bool {
        self.is_personal.load(Ordering::Relaxed)
    }

    /// Notes that the response was made with a stale session.
    pub(super) fn mark_stale(&self) {
        self.is_stale.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_stale(&self) -> bool {
        self.is_stale.load(Ordering::Relaxed)
    }

    /// Whether the relay layer will add the cookies of the lookup to the response.
    pub(super) fn is_relayed(&self) -> bool {
        self.is_relayed.load(Ordering::Relaxed)
    }

    /// Notes that the upstream was asked for the session by the browser's cookie, and that all session cookies that it set are
    /// relayed.
    pub(super) fn note_asked(&self) {
        self.is_asked.store(true, Ordering::Relaxed);
    }

    /// Whether the response gives the browser the session cookies that a forwarded request for the session would.
    pub(super) fn is_asked(&self) -> bool {
        self.is_asked.load(Ordering::Relaxed)
    }

    /// Keeps the session cookies of a lookup for the relay layer.
    pub(super) fn keep_renewed(&self, renewed: Renewed) {
        self.renewed.set(renewed).ok();
    }

    /// The session cookies that the lookup set or cleared.
    pub(super) fn renewed(&self) -> Option<&Renewed> {
        self.renewed.get()
    }

    /// Whether the browser sent this token. The cookies of a lookup by another token would sign it in to another
    /// session.
    pub(super) fn is_of_browser(&self, credential: &Credential, names: NamesInPlay<'_>) -> bool {
        let headers: HeaderMap = self.cookies.iter().map(|line| (COOKIE, line.clone())).collect();
        let sent = names.find(&headers, self.shared.is_opaque()).ok().flatten();
        sent.is_some_and(|sent| {
            sent.name() == credential.name() && sent.token().is_ok_and(|token| token == credential.token())
        })
    }

    /// The session cookie names of the request. `None` if they depend on the scheme, which the whole request tells.
    fn names(&self) -> Option<NameIndexes> {
        match self.names.get() {
            Some(names) => Some(*names),
            None => names_without_scheme(&self.shared).map(|names| *self.names.get_or_init(|| names)),
        }
    }

    /// Whether these headers have the cookies that the browser sent, and no other credential.
    fn has_only_cookies_of(&self, headers: &HeaderMap) -> bool {
        headers.get_all(COOKIE).iter().eq(&self.cookies) && !headers.contains_key(AUTHORIZATION)
    }
}

/// The present session cookie names. `None` if they depend on the scheme of a request.
fn names_without_scheme(shared: &Shared) -> Option<NameIndexes> {
    let names = shared.names_of(None);
    (!names.is_scheme_unknown()).then(|| names.indexes())
}

/// The part of a request's head that the credential, the session and the claims depend on.
pub(super) struct Head {
    /// The values of `CREDENTIAL_HEADERS` and `ORIGIN_HEADERS`, each with the number of its header.
    lines: Vec<(usize, HeaderValue)>,
    origin: (Option<Authority>, Option<std::net::IpAddr>),
    /// The visitors of a test.
    visitors: TestVisitors,
}

impl Head {
    fn of(parts: &Parts) -> Self {
        let lines = Self::lines(&parts.headers).map(|(number, value)| (number, value.clone())).collect();
        let origin = (parts.uri.authority().cloned(), forwarded::peer(parts));
        Self { lines, origin, visitors: TestVisitors::of(&parts.extensions) }
    }

    /// The same for headers alone.
    pub(super) fn of_headers(headers: &HeaderMap) -> Self {
        let lines = Self::lines(headers).map(|(number, value)| (number, value.clone())).collect();
        Self { lines, origin: (None, None), visitors: current_visitors() }
    }

    /// A request with this part of the head.
    pub(super) fn to_parts(&self) -> Parts {
        let (mut parts, ()) = Request::new(()).into_parts();
        for (number, value) in &self.lines {
            if let Some(name) = Self::names().nth(*number) {
                parts.headers.append(name, value.clone());
            }
        }
        let (authority, peer) = &self.origin;
        if let Some(authority) = authority {
            let uri = Uri::builder().scheme(Scheme::HTTP).authority(authority.clone()).path_and_query("/");
            parts.uri = uri.build().unwrap_or_default();
        }
        if let Some(peer) = peer {
            parts.extensions.insert(ConnectInfo(SocketAddr::new(*peer, 0)));
        }
        self.visitors.insert_into(&mut parts.extensions);
        parts
    }

    fn names() -> impl Iterator<Item = HeaderName> {
        CREDENTIAL_HEADERS.into_iter().chain(ORIGIN_HEADERS)
    }

    fn is_of(&self, parts: &Parts) -> bool {
        let (authority, peer) = &self.origin;
        Self::lines(&parts.headers).eq(self.lines.iter().map(|(number, value)| (*number, value)))
            && authority.as_ref() == parts.uri.authority()
            && *peer == forwarded::peer(parts)
    }

    fn lines(headers: &HeaderMap) -> impl Iterator<Item = (usize, &HeaderValue)> {
        Self::names()
            .enumerate()
            .flat_map(|(number, name)| headers.get_all(name).iter().map(move |value| (number, value)))
    }
}

/// The results for one head.
pub(super) struct Answers<P: AuthProxy> {
    pub(super) head: Arc<Head>,
    pub(super) names: NameIndexes,
    pub(super) credential: OnceLock<Found<Arc<Credential>>>,
    pub(super) verified: OnceLock<Found<Arc<Verified>>>,
    pub(super) session: OnceCell<Found<CachedSession>>,
    pub(super) token: OnceLock<Found<Arc<P::Claims>>>,
}

impl<P: AuthProxy> Answers<P> {
    fn new(head: Head, names: NameIndexes) -> Self {
        Self {
            head: Arc::new(head),
            names,
            credential: OnceLock::new(),
            verified: OnceLock::new(),
            session: OnceCell::new(),
            token: OnceLock::new(),
        }
    }

    /// Takes the results that the visitors of a test have. Returns whether the token is that of one of them.
    fn take_from_visitors(&self, shared: &Arc<Shared>, headers: &HeaderMap) -> bool {
        let Some(answered) = self.head.visitors.find(shared, self.names, headers) else { return false };
        if let Some(verified) = answered.verified() {
            self.verified.set(verified).ok();
        }
        self.session.set(answered.session()).ok();
        true
    }

    /// The results for headers alone that are known without asking: those of a test. `None` outside of tests.
    pub(super) fn of_test(
        shared: &Arc<Shared>,
        headers: &HeaderMap,
        names: NameIndexes,
    ) -> Option<Arc<Self>> {
        if current_visitors().is_empty() {
            return None;
        }
        let answers = Self::new(Head::of_headers(headers), names);
        answers.take_from_visitors(shared, headers).then(|| Arc::new(answers))
    }
}

/// The memo of one proxy.
pub(super) struct Memo<P: AuthProxy> {
    pub(super) response: Arc<ResponseMemo>,
    pub(super) answers: Arc<Answers<P>>,
}

/// The memo of one proxy in the extensions of a request. It has no answers before the first extractor.
struct Stored<P: AuthProxy> {
    response: Arc<ResponseMemo>,
    answers: Option<Arc<Answers<P>>>,
    /// What a guard in front of the first extractor found under the names of the response, in its cookies.
    guarded: Option<Found<Arc<Verified>>>,
    /// The memos of other proxies of the same type.
    others: Vec<Self>,
}

impl<P: AuthProxy> Clone for Stored<P> {
    fn clone(&self) -> Self {
        let Self { response, answers, guarded, others } = self;
        Self {
            response: Arc::clone(response),
            answers: answers.clone(),
            guarded: guarded.clone(),
            others: others.clone(),
        }
    }
}

/// The memo of this proxy in the extensions of a request.
fn stored<'e, P: AuthProxy>(shared: &Arc<Shared>, extensions: &'e Extensions) -> Option<&'e Stored<P>> {
    let first = extensions.get::<Stored<P>>()?;
    std::iter::once(first).chain(&first.others).find(|stored| Arc::ptr_eq(&stored.response.shared, shared))
}

/// Stores the memo of a proxy, in place of its present one.
fn store<P: AuthProxy>(
    extensions: &mut Extensions,
    response: Arc<ResponseMemo>,
    answers: Option<Arc<Answers<P>>>,
    guarded: Option<Found<Arc<Verified>>>,
) {
    let new = Stored { response, answers, guarded, others: Vec::new() };
    let Some(first) = extensions.get_mut::<Stored<P>>() else {
        extensions.insert(new);
        return;
    };
    let is_same = |stored: &Stored<P>| Arc::ptr_eq(&stored.response.shared, &new.response.shared);
    if is_same(first) {
        (first.response, first.answers, first.guarded) = (new.response, new.answers, new.guarded);
    } else if let Some(other) = first.others.iter_mut().find(|other| is_same(other)) {
        *other = new;
    } else {
        first.others.push(new);
    }
}

impl<P: AuthProxy> Memo<P> {
    /// The memo for a request's head. The first extractor or guard stores it.
    pub(super) fn of(proxy: &Proxy<P>, parts: &mut Parts) -> Self {
        let shared = proxy.shared();
        let known = stored::<P>(shared, &parts.extensions);
        if let Some(Stored { response, answers: Some(answers), .. }) = known
            && answers.head.is_of(parts)
        {
            return Self { response: Arc::clone(response), answers: Arc::clone(answers) };
        }
        let (response, names) = response_of(known, shared, parts);
        let names = names.unwrap_or_else(|| shared.names_of(Some(parts)).indexes());
        let answers = Arc::new(Answers::new(Head::of(parts), names));
        let is_of_test = answers.take_from_visitors(shared, &parts.headers);
        let guarded = known.and_then(|known| known.guarded.clone());
        if let Some(guarded) = guarded.filter(|_| !is_of_test && response.has_only_cookies_of(&parts.headers))
        {
            answers.verified.set(guarded).ok();
        }
        store(&mut parts.extensions, Arc::clone(&response), Some(Arc::clone(&answers)), None);
        Self { response, answers }
    }
}

/// What the response to a request depends on, and the names of its session cookie, which stay the same from now on.
/// `known` is what is stored. The names are `None` if they depend on the scheme.
fn response_of<P: AuthProxy>(
    known: Option<&Stored<P>>,
    shared: &Arc<Shared>,
    parts: &Parts,
) -> (Arc<ResponseMemo>, Option<NameIndexes>) {
    if let Some(known) = known {
        return (Arc::clone(&known.response), known.response.names());
    }
    let names = names_without_scheme(shared);
    let pinned = names.map(OnceLock::from).unwrap_or_default();
    (Arc::new(ResponseMemo::new(shared, &parts.headers, &parts.extensions, pinned)), names)
}

/// The verified token for a guard in front of all extractors, which asks for nothing else. Its result and the names of the
/// session cookie are kept for them, and no more: copying the head takes longer than finding the token. `None` if that is
/// not enough: then the guard asks as an extractor does.
pub(crate) async fn verified_for_guard<P: AuthProxy>(
    proxy: &Proxy<P>,
    parts: &mut Parts,
) -> Option<Found<Arc<Verified>>> {
    let shared = proxy.shared();
    let known = stored::<P>(shared, &parts.extensions);
    let is_first = known.is_none_or(|known| known.answers.is_none() && known.guarded.is_none());
    // Tests have other results, and a revoked token is compared with the list.
    let is_plain = shared.sessions.revocations().is_none() && TestVisitors::of(&parts.extensions).is_empty();
    if !is_first || !is_plain {
        return None;
    }
    let (response, names) = response_of(known, shared, parts);
    if !response.has_only_cookies_of(&parts.headers) {
        return None;
    }
    let names = shared.names.at(names?);
    response.mark_personal();
    mark_current_personal();
    let verified = shared.verified(&parts.headers, names).await;
    store::<P>(&mut parts.extensions, response, None, Some(verified.clone()));
    Some(verified)
}

/// The memo for the response of the relay layer. A guard outside of the layer may have stored it, or the extensions may
/// be those of a request with other cookies.
pub(super) fn for_relay<P: AuthProxy>(
    proxy: &Proxy<P>,
    headers: &HeaderMap,
    extensions: &mut Extensions,
) -> Arc<ResponseMemo> {
    let known = stored::<P>(proxy.shared(), extensions).map(|known| Arc::clone(&known.response));
    let response =
        known.filter(|known| headers.get_all(COOKIE).iter().eq(&known.cookies)).unwrap_or_else(|| {
            let response = Arc::new(ResponseMemo::new(proxy.shared(), headers, extensions, OnceLock::new()));
            store::<P>(extensions, Arc::clone(&response), None, None);
            response
        });
    response.is_relayed.store(true, Ordering::Relaxed);
    response
}

/// Marks the response to a request as personal, without reading the credential.
pub(crate) fn mark_personal<P: AuthProxy>(proxy: &Proxy<P>, extensions: &Extensions) {
    if let Some(stored) = stored::<P>(proxy.shared(), extensions) {
        stored.response.mark_personal();
    }
    mark_current_personal();
}

/// Marks the response to the current request as personal. It is that of the innermost relay layer, which may belong to
/// another proxy than the one that is asked. It does nothing outside of such a layer, where nothing reads the mark.
pub(super) fn mark_current_personal() {
    CURRENT.try_with(|response| response.mark_personal()).ok();
}

/// The visitors of a test that the current request has.
fn current_visitors() -> TestVisitors {
    CURRENT.try_with(|response| response.visitors.clone()).unwrap_or_default()
}

/// Notes that the response to the current request was made with a stale session.
pub(super) fn mark_current_stale() {
    CURRENT.try_with(|response| response.mark_stale()).ok();
}

/// The session cookie names of the current request. `None` if they are those of another proxy, or depend on the scheme.
pub(super) fn current_names(shared: &Arc<Shared>) -> Option<NameIndexes> {
    let own = |response: &Arc<ResponseMemo>| Arc::ptr_eq(&response.shared, shared).then(|| response.names());
    CURRENT.try_with(own).ok().flatten().flatten()
}
