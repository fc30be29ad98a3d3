//! Answers `GET session` in place of the upstream, where this app knows the session (`session.answer_session: cached`).

use std::pin::Pin;
use std::sync::Arc;

use auth_proxy_rules::AnswerSession;
use axum::body::Body;
use axum::response::Response;
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    IF_UNMODIFIED_SINCE, PRAGMA, RANGE,
};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method};

use super::plan::Plan;
use crate::cookie::sends_one_token;
use crate::error::{AuthError, Reason};
use crate::extract;
use crate::provider::{AuthProxy, Proxy, Shared};
use crate::session::{CachedSession, wire};

/// Headers that ask for a part of the answer, for an answer under a condition, or for one that no cache gives. Only the
/// upstream can decide about a credential in `Authorization`.
const FOR_THE_UPSTREAM: [HeaderName; 9] = [
    AUTHORIZATION,
    CACHE_CONTROL,
    PRAGMA,
    RANGE,
    IF_RANGE,
    IF_MATCH,
    IF_NONE_MATCH,
    IF_MODIFIED_SINCE,
    IF_UNMODIFIED_SINCE,
];

/// Answers requests for the session. The type of the proxy is left out, so that forwarding is compiled once.
pub(super) trait SessionAnswers: Send + Sync {
    /// The answer to a request for the session. `None` if the request has to be forwarded.
    fn answer<'r>(&'r self, parts: &'r mut Parts) -> Answering<'r>;
}

pub(super) type Answering<'r> =
    Pin<Box<dyn Future<Output = Option<Result<Response, AuthError>>> + Send + 'r>>;

/// What answers requests for the session. `None` if each is forwarded.
pub(super) fn answers<P: AuthProxy>(proxy: &Proxy<P>) -> Option<Arc<dyn SessionAnswers>> {
    let settings = &proxy.shared().settings;
    let answers = settings.answer_session == AnswerSession::Cached && settings.has_sign_in();
    answers.then(|| Arc::new(OfProxy(proxy.clone())) as Arc<dyn SessionAnswers>)
}

/// Whether a request asks for the session and nothing else: in the one spelling of the path, without a query, a body, a
/// condition, or a second session token. Any other request is forwarded.
pub(super) fn asks_for_session(shared: &Shared, parts: &Parts, body: &Body) -> bool {
    let path = parts.uri.path();
    let is_session =
        |base: &str| path.strip_prefix(base).is_some_and(|rest| rest == shared.dialect.session_path());
    parts.method == Method::GET
        && parts.uri.query().is_none()
        && shared.settings.bases().any(is_session)
        && http_body::Body::is_end_stream(body)
        && !FOR_THE_UPSTREAM.iter().any(|name| parts.headers.contains_key(name))
        && sends_one_token(&parts.headers, shared.names.all().iter().map(|name| name.browser.as_str()))
}

struct OfProxy<P>(Proxy<P>);

impl<P: AuthProxy> SessionAnswers for OfProxy<P> {
    fn answer<'r>(&'r self, parts: &'r mut Parts) -> Answering<'r> {
        Box::pin(async move {
            let shared = self.0.shared();
            // A request that is refused is refused by forwarding, with the same error as any other.
            Plan::of(parts, shared).ok()?;
            match extract::answered(&self.0, parts, |session| response(shared, session)).await {
                Ok(answer) => answer.map(Ok),
                Err(error) => does_not_answer(&error).then_some(Err(error)),
            }
        })
    }
}

/// Whether the upstream does not answer. The error is the one that forwarding the request would give, after another wait.
fn does_not_answer(error: &AuthError) -> bool {
    let reasons = [Reason::UPSTREAM_UNREACHABLE, Reason::UPSTREAM_TIMEOUT, Reason::CIRCUIT_OPEN];
    !error.is_unasked() && reasons.into_iter().any(|reason| error.is(reason))
}

/// The answer with a session. `None` if it cannot be written.
fn response(shared: &Shared, session: &CachedSession) -> Option<Response> {
    let body = wire::write(shared.dialect, &session.raw()).ok()?;
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in shared.dialect.session_headers() {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Some(response)
}
