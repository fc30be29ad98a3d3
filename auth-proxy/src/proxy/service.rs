use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{ALT_SVC, IF_RANGE, LOCATION, RANGE, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, Method, Request};
use percent_encoding::percent_decode_str;
use tokio::time::{Instant, timeout_at};
use tower::Service;

use super::answer::{rewritten, without_session_token};
use super::body::{Fate, Limited};
use super::callback_url;
#[cfg(feature = "client-js")]
use super::client_js;
use super::cors::{self, Cors};
use super::eviction::Eviction;
use super::foreign_urls;
use super::hop_by_hop::strip_hop_by_hop;
use super::request::{self, Plan};
use super::session_check::check_forwarded_session;
use crate::cache_control::make_private;
use crate::cookie::drop_stray_cookies;
use crate::error::{AuthError, Reason};
use crate::forwarded::ClientInfo;
use crate::page;
use crate::provider::Shared;
use crate::upstream::RetryPolicy;
use crate::warnings::Warning;

/// Forwards what is below the base path.
pub(super) fn service(
    shared: &Arc<Shared>,
) -> impl Service<Request<Body>, Response = Response, Error = Infallible, Future: Send> + Clone + use<> {
    let shared = Arc::clone(shared);
    // Of no type of its own, whose future would have to be boxed: the router boxes it anyway.
    tower::service_fn(move |request: Request<Body>| {
        let shared = Arc::clone(&shared);
        async move {
            let cors = Cors::of(request.headers(), &shared.settings);
            let navigates = page::is_navigation(request.headers());
            let response = answer(&shared, request, cors.as_ref()).await;
            let mut response = page::shown(response, navigates, shared.error_page.as_ref());
            if let Some(cors) = cors {
                cors.write(response.headers_mut());
            }
            Ok(response)
        }
    })
}

/// Answers a preflight here, and forwards the rest.
async fn answer(shared: &Arc<Shared>, request: Request<Body>, cors: Option<&Cors>) -> Response {
    let (parts, body) = request.into_parts();
    if let Some(preflight) = cors.and_then(|cors| cors.preflight(&parts)) {
        return preflight;
    }
    let response = forward(shared, Request::from_parts(parts, body)).await;
    response.unwrap_or_else(IntoResponse::into_response)
}

async fn forward(shared: &Arc<Shared>, request: Request<Body>) -> Result<Response, AuthError> {
    let (mut parts, body) = request.into_parts();
    #[cfg(feature = "client-js")]
    if shared.settings.client_js
        && let Some(file) = parts
            .uri
            .path()
            .strip_prefix(shared.settings.base_path.as_str())
            .and_then(|rest| client_js::file(&parts, rest))
    {
        return Ok(file);
    }
    let Plan { method, rest } = request::plan(&parts, shared)?;
    let client = ClientInfo::of(&parts, &shared.settings)?;
    client.require_trusted_host(shared.settings.public_url.as_ref()).inspect_err(|_| {
        shared.warn_once_with(Warning::UntrustedHost, || client.requested_host().to_owned())
    })?;
    if client.ignores_https_claim(shared.settings.public_url.as_ref()) {
        shared.warn_once(Warning::IgnoredHttpsClaim);
    }
    let absolute = callback_url::absolute(&parts.uri, rest, &method, &shared.settings);
    let target = shared.upstream.target(absolute.as_ref().unwrap_or(&parts.uri), rest)?;
    let is_head = parts.method == Method::HEAD;
    let is_post = parts.method == Method::POST;
    // Some servers decode a path before they look for its route.
    let route = percent_decode_str(rest).decode_utf8_lossy();
    let is_session = is_session(&route);
    let is_same_for_all = name(&route) == "/providers";
    let told = foreign_urls::Page::of(&route);
    let is_judged = is_session && has_session_cookie(shared, &parts);
    // The one answer that renews the session cookie each time, and changes nothing by it.
    let renews = method == Method::GET && is_session;
    // Before what is known is ended: a request that is not admitted is not sent.
    let permit = shared.upstream.admission.try_enter()?;
    let eviction = if is_read(&method, &route) && !renews {
        None
    } else {
        Some(Eviction::begin(shared, &parts.headers, ends_sessions(&method, &route), is_session).await)
    };

    let (body, fate) = limited(body, shared.settings.body_limit);
    // A client can break its body off at will, which must not count as the upstream's failure.
    let is_safe = fate.is_none() && is_read(&method, &route);
    let policy = if is_safe { RetryPolicy::Idempotent } else { RetryPolicy::IfUnsent };

    let mut headers = std::mem::take(&mut parts.headers);
    request::clean(&mut headers, client.is_peer_trusted(), shared.settings.rewrite.cookie_prefix);
    if is_session {
        // A part of a session cannot be looked through.
        headers.remove(RANGE);
        headers.remove(IF_RANGE);
    }
    for name in shared.names.all() {
        drop_stray_cookies(&mut headers, &name.upstream, shared.is_opaque());
    }
    if let Err(error) = shared.upstream.finish_head(&mut headers, &client) {
        if let Some(eviction) = eviction {
            eviction.unsent();
        }
        return Err(error);
    }

    let mut upward = Request::new(body);
    *upward.method_mut() = method;
    *upward.uri_mut() = target;
    *upward.headers_mut() = headers;

    let deadline = Instant::now() + shared.settings.timeout;
    let sent = shared.upstream.send(upward, policy).await;
    drop(permit);
    let sent = match (sent, fate) {
        (Ok(_), Some(fate)) if fate.is_too_large() => Err(AuthError::new(Reason::BODY_TOO_LARGE)),
        (Err(error), Some(fate)) => Err(fate.blame(error)),
        (sent, _) => sent,
    };
    let mut response = match sent {
        Ok(response) => response,
        Err(error) => {
            if let Some(eviction) = eviction {
                if error.is(Reason::CIRCUIT_OPEN) {
                    eviction.unsent();
                } else {
                    eviction.failed().await;
                }
            }
            if error.is_unavailable() {
                shared.upstream.forward_log.failed(&error);
            }
            return Err(error);
        }
    };
    shared.upstream.forward_log.succeeded();
    if response.status().is_informational() {
        return Err(
            AuthError::new(Reason::UPSTREAM_INVALID_RESPONSE).because("it switched protocols unasked")
        );
    }
    strip_hop_by_hop(response.headers_mut());
    // It speaks of other ports and protocols of the upstream (RFC 7838), which this app does not have.
    response.headers_mut().remove(ALT_SVC);
    cors::forget(response.headers_mut());
    if let Some(page) = told {
        response = foreign_urls::watched(shared, &client, page, response);
    }
    let points_here =
        |headers: &HeaderMap| headers.contains_key(LOCATION) || headers.contains_key(SET_COOKIE);
    // What is read here keeps the head waiting, which has its time.
    if is_post || points_here(response.headers()) {
        response = in_time(deadline, rewritten(shared, &client, is_post, response)).await?;
    }
    if is_judged {
        response = in_time(deadline, check_forwarded_session(shared, response)).await?;
    }
    if is_session && !shared.settings.expose_session_token {
        response = in_time(deadline, without_session_token(response)).await?;
    }
    shared.names.learn(response.headers());
    if let Some(eviction) = eviction {
        eviction.finish(shared, response.headers_mut(), renews).await;
    }
    // Auth.js says nothing of caches on its pages, whose forms carry the visitor's CSRF token (`core/lib/pages/index.ts`).
    if !is_same_for_all || response.headers().contains_key(SET_COOKIE) {
        make_private(response.headers_mut());
    }
    if is_head {
        *response.body_mut() = Body::empty();
    }
    // The version and the extensions of one connection say nothing about the other.
    *response.version_mut() = http::Version::default();
    response.extensions_mut().clear();
    Ok(response)
}

/// Whether it changes nothing at the upstream, however often it is asked.
fn is_read(method: &Method, rest: &str) -> bool {
    *method == Method::GET && (is_session(rest) || matches!(name(rest), "/providers" | "/csrf"))
}

/// Whether it signs in or out, or changes the session or the account: every method that may change something
/// (RFC 9110, section 9.2.1), a provider's callback, and the links in mails. next-auth's browser code posts its errors to
/// `/_log`, which changes nothing.
fn ends_sessions(method: &Method, rest: &str) -> bool {
    if name(rest) == "/_log" {
        return false;
    }
    let is_safe = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE);
    !is_safe || rest.starts_with("/callback/") || name(rest).ends_with("/confirm")
}

/// Whether it carries a session cookie that the upstream uses. Auth.js reads no Bearer token at `/session`.
fn has_session_cookie(shared: &Shared, parts: &Parts) -> bool {
    let names = shared.names_of(Some(parts));
    let sent =
        shared.candidate(&parts.headers, names).ok().flatten().filter(|candidate| !candidate.is_bearer());
    // Of a cookie that the upstream does not use it says nothing.
    sent.and_then(|candidate| names.get(candidate.name()))
        .is_some_and(|name| !shared.names.is_foreign(name.place))
}

fn is_session(rest: &str) -> bool {
    name(rest) == "/session"
}

/// Auth.js takes a trailing slash.
fn name(rest: &str) -> &str {
    rest.strip_suffix('/').unwrap_or(rest)
}

/// A body that is known to be empty stays so, and needs no counting.
fn limited(body: Body, limit: u64) -> (Body, Option<Fate>) {
    if http_body::Body::is_end_stream(&body) {
        return (Body::empty(), None);
    }
    let (body, fate) = Limited::new(body, limit);
    (Body::new(body), Some(fate))
}

async fn in_time(
    deadline: Instant,
    answer: impl Future<Output = Result<Response, AuthError>>,
) -> Result<Response, AuthError> {
    timeout_at(deadline, answer)
        .await
        .map_err(|elapsed| AuthError::new(Reason::UPSTREAM_TIMEOUT).because(elapsed))?
}
