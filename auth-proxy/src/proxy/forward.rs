//! Forwards a request to the upstream in four phases: request filter, upstream request, exchange, downstream response.

use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::header::{ALT_SVC, IF_RANGE, LOCATION, RANGE, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, Request, StatusCode};
use tokio::time::{Instant, timeout_at};

use super::answer::{rewritten, without_secrets};
use super::body::{BodyProgress, Limited};
#[cfg(feature = "client-js")]
use super::client_js;
use super::eviction::Eviction;
use super::plan::Plan;
use super::session_answer::{SessionAnswers, asks_for_session};
use super::session_check::check_forwarded_session;
use super::{cors, foreign_urls, request, revoke, sign_in_limit};
use crate::cache_control::make_private;
use crate::cookie::drop_stray_cookies;
use crate::error::{AuthError, Reason};
use crate::forwarded::strip_hop_by_hop;
use crate::provider::Shared;
use crate::telemetry::Forwarded;
use crate::upstream::RetryPolicy;

/// Answers a request for a route of this app's own, and forwards any other.
///
/// # Errors
/// A 4xx for a request that is not forwarded; 502 to 504 when the upstream is unavailable.
pub(super) async fn answer(
    shared: &Arc<Shared>,
    answers: Option<&dyn SessionAnswers>,
    request: Request<Body>,
) -> Result<Response, AuthError> {
    let (mut parts, body) = request.into_parts();
    #[cfg(feature = "client-js")]
    if shared.settings.client_js
        && let Some(rest) = parts.uri.path().strip_prefix(shared.settings.base_path.as_str())
        && let Some(file) = client_js::file(&shared.dialect.browser_client(), &parts, rest)
    {
        return Ok(file);
    }
    if revoke::is_for(shared, parts.uri.path()) {
        return Box::pin(revoke::answer(shared, &parts, body)).await;
    }
    let counted = Forwarded::begin();
    let kept = match answers.filter(|_| asks_for_session(shared, &parts, &body)) {
        Some(answers) => answers.answer(&mut parts).await,
        None => None,
    };
    let (outcome, answer) = match kept {
        Some(answer) => ("cached", answer),
        None => ("answered", forward(shared, parts, body).await),
    };
    match &answer {
        Ok(_) => counted.end(outcome, None),
        Err(error) => counted.end(error.outcome().name(), Some(error.code())),
    }
    answer
}

/// Forwards a request and adapts the response.
async fn forward(shared: &Arc<Shared>, mut parts: Parts, body: Body) -> Result<Response, AuthError> {
    let when_unknown = shared.when_unknown();
    // So that the request counts as one without a session from here on.
    shared.drop_revoked(&mut parts.headers).await;
    let plan = Plan::of(&parts, shared)?;
    if plan.purpose.is_session {
        Box::pin(shared.prepare_session_request(&mut parts.headers, when_unknown)).await?;
    }
    let body = sign_in_limit::check(shared, &plan, &parts, body).await?;
    // This comes before the eviction: a request over the limit is not sent and must not evict a session.
    let permit = shared.upstream.admission.try_enter().inspect_err(|error| log_failure(shared, error))?;
    // The session store's calls count too.
    let deadline = Instant::now() + shared.settings.timeout;
    let eviction = if plan.purpose.concerns_sessions() {
        Some(Eviction::begin(shared, &parts, &plan.purpose))
    } else {
        None
    };
    let request = match upstream_request(shared, &plan, parts, body) {
        Ok(request) => request,
        Err(error) => {
            if let Some(eviction) = eviction {
                eviction.unsent();
            }
            return Err(error);
        }
    };
    let response = exchange(shared, request, plan.purpose.is_read, deadline).await;
    drop(permit);
    let response = match response {
        Ok(response) => response,
        Err(error) => {
            Box::pin(evict_after_failure(shared, eviction, &error, deadline)).await;
            return Err(error);
        }
    };
    let answer = downstream_response(shared, &plan, response, deadline, eviction).await;
    match &answer {
        Ok(response) if response.status().is_server_error() => {}
        Ok(_) => shared.upstream.forward_log.succeeded(),
        Err(error) => log_failure(shared, error),
    }
    answer
}

/// Counts a failure of the upstream in the log.
fn log_failure(shared: &Shared, error: &AuthError) {
    if error.is_unavailable() {
        shared.upstream.forward_log.failed(error);
    }
}

/// A request to the upstream, and the progress of its body: `None` for an empty body.
struct UpstreamRequest {
    request: Request<Body>,
    progress: Option<BodyProgress>,
}

/// Builds the request to the upstream.
///
/// # Errors
/// `loop_detected`, `host_invalid`.
fn upstream_request(
    shared: &Shared,
    plan: &Plan,
    parts: Parts,
    body: Body,
) -> Result<UpstreamRequest, AuthError> {
    let mut headers = parts.headers;
    request::clean(&mut headers, shared.settings.rewrite.cookie_prefix);
    if plan.purpose.is_session {
        // The session token can be removed from a whole body only, so ask for no range of it.
        headers.remove(RANGE);
        headers.remove(IF_RANGE);
    }
    if shared.dialect.joins_cookies_by_prefix() {
        for name in shared.names.all() {
            drop_stray_cookies(&mut headers, &name.upstream, shared.is_opaque());
        }
    }
    shared.upstream.finish_head(&mut headers, &plan.client)?;
    let (body, progress) = limited(body, shared.settings.body_limit);
    let mut request = Request::new(body);
    request.method_mut().clone_from(&plan.method);
    request.uri_mut().clone_from(&plan.target);
    *request.headers_mut() = headers;
    Ok(UpstreamRequest { request, progress })
}

/// Limits the size of a body. An empty body needs no limit.
fn limited(body: Body, limit: u64) -> (Body, Option<BodyProgress>) {
    if http_body::Body::is_end_stream(&body) {
        return (Body::empty(), None);
    }
    let (body, progress) = Limited::new(body, limit);
    (Body::new(body), Some(progress))
}

/// Sends the request, and attributes a failure to its cause: the upstream, or the client's body.
async fn exchange(
    shared: &Arc<Shared>,
    sent: UpstreamRequest,
    is_read: bool,
    deadline: Instant,
) -> Result<Response, AuthError> {
    let UpstreamRequest { request, progress } = sent;
    // A client can break off its body at any time. That must not count as a failure of the upstream.
    let is_idempotent = is_read && progress.is_none();
    let policy = if is_idempotent { RetryPolicy::Idempotent } else { RetryPolicy::IfUnsent };
    let attribute = |error| match &progress {
        Some(progress) => progress.attribute(error),
        None => error,
    };
    let response = shared.upstream.send(request, policy, deadline, &attribute).await?;
    if progress.is_some_and(|progress| progress.is_too_large()) {
        return Err(AuthError::new(Reason::BODY_TOO_LARGE));
    }
    Ok(response)
}

/// Evicts sessions after a request that got no response.
async fn evict_after_failure(
    shared: &Shared,
    eviction: Option<Eviction>,
    error: &AuthError,
    deadline: Instant,
) {
    if let Some(eviction) = eviction {
        if error.is(Reason::CIRCUIT_OPEN) {
            eviction.unsent();
        } else {
            eviction.failed(deadline).await;
        }
    }
    log_failure(shared, error);
}

/// Adapts the upstream's response for the browser.
///
/// # Errors
/// 502 or 504 for a response that must not reach the browser.
async fn downstream_response(
    shared: &Arc<Shared>,
    plan: &Plan,
    mut response: Response,
    deadline: Instant,
    eviction: Option<Eviction>,
) -> Result<Response, AuthError> {
    let purpose = &plan.purpose;
    if response.status().is_informational() {
        return Err(AuthError::new(Reason::UPSTREAM_INVALID_RESPONSE)
            .because("it switched protocols, though no request asks for that"));
    }
    strip_hop_by_hop(response.headers_mut());
    // `Alt-Svc` names other ports and protocols of the upstream (RFC 7838), which this app does not have.
    response.headers_mut().remove(ALT_SVC);
    cors::remove_headers(response.headers_mut());
    if let Some(page) = purpose.page {
        response = foreign_urls::check_urls(shared, &plan.client, page, response);
    }
    // Reading the body here delays the head of the response, so it falls under the same deadline.
    if plan.is_post || has_urls_or_cookies(response.headers()) {
        response = in_time(deadline, Box::pin(rewritten(shared, plan, response))).await?;
    }
    if plan.checks_session {
        response = in_time(deadline, Box::pin(check_forwarded_session(shared, response))).await?;
    }
    if purpose.is_session && !shared.settings.expose_session_token {
        response = in_time(deadline, Box::pin(without_secrets(shared.dialect, response))).await?;
    }
    let scheme = shared.upstream.forwarded_as(&plan.client).scheme;
    shared.names.learn(response.headers(), scheme == "https");
    if let Some(eviction) = eviction {
        if purpose.is_session && response.status() == StatusCode::OK {
            eviction.note_session_answered();
        }
        Box::pin(eviction.finish(shared, response.headers_mut(), plan, deadline)).await;
    }
    // Auth.js sends no `Cache-Control` with its pages, whose forms carry the visitor's CSRF token
    // (`docs/authjs.md#pages`).
    if !purpose.is_same_for_all || response.headers().contains_key(SET_COOKIE) {
        make_private(response.headers_mut());
    }
    if plan.is_head {
        *response.body_mut() = Body::empty();
    }
    // The version and the extensions belong to the connection to the upstream.
    *response.version_mut() = http::Version::default();
    response.extensions_mut().clear();
    Ok(response)
}

type BoxedAnswer<'a> = Pin<Box<dyn Future<Output = Result<Response, AuthError>> + Send + 'a>>;

fn has_urls_or_cookies(headers: &HeaderMap) -> bool {
    headers.contains_key(LOCATION) || headers.contains_key(SET_COOKIE)
}

/// Waits for a change of the response until the deadline. Few responses are changed, so the future is boxed: the future of
/// every request would hold all of these otherwise.
async fn in_time(deadline: Instant, answer: BoxedAnswer<'_>) -> Result<Response, AuthError> {
    timeout_at(deadline, answer)
        .await
        .map_err(|elapsed| AuthError::new(Reason::UPSTREAM_TIMEOUT).because(elapsed))?
}
