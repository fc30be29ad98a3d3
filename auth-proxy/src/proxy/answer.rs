//! Rewrites a response of the upstream for the browser: cookies, redirect URLs, JSON redirects, session tokens.

use auth_proxy_rules::origin;
use axum::body::Body;
use axum::response::Response;
use bytes::BytesMut;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use memchr::memmem;
use serde_json::{Map, Value};

use super::body::Prefixed;
use super::callback_host;
use super::location::LocationRewriter;
use super::plan::Plan;
use crate::cookie::CookieAdapter;
use crate::dialect::{Dialect, Software};
use crate::error::{AuthError, Reason};
use crate::json::replace_lone_surrogates;
use crate::provider::Shared;
use crate::session::SESSION_LIMIT;
use crate::upstream::body_error;
use crate::warnings::Warning;

/// Rewrites URLs and cookies of the upstream into those of this app.
pub(super) async fn rewritten(
    shared: &Shared,
    plan: &Plan,
    mut response: Response,
) -> Result<Response, AuthError> {
    let own = plan.client.origin(shared.settings.public_url.as_ref());
    if plan.is_post
        && !shared.warnings.was_logged(Warning::CallbackOnOtherHost)
        && callback_host::callback_misses_app(shared, own.as_ref(), response.headers())
    {
        let setting = shared.dialect.callback_host_setting(Software::of(response.headers()));
        shared.warn_once_with(Warning::CallbackOnOtherHost, || setting.to_owned());
    }
    if !shared.warnings.was_logged(Warning::OtherNameSet)
        && let Some(other) = shared.names.other_name_set(response.headers())
    {
        shared.warn_once_with(Warning::OtherNameSet, || other);
    }
    CookieAdapter::new(&shared.settings, own.clone()).adapt(response.headers_mut());
    let rewrite = LocationRewriter::new(&shared.settings, own);
    rewrite.location_header(response.headers_mut());
    if plan.is_post && is_json(response.headers()) {
        let is_forbidden = response.status() == StatusCode::FORBIDDEN;
        return change_body(response, JSON_LIMIT, |body| {
            if is_forbidden && let Some(setting) = shared.dialect.origin_refusal(body) {
                warn_of_refused_origin(shared, plan, setting);
            }
            rewrite.json(body)
        })
        .await;
    }
    Ok(response)
}

/// Warns if the upstream refused a request because of its `Origin`, though a page of this app sent it.
fn warn_of_refused_origin(shared: &Shared, plan: &Plan, setting: &str) {
    let page = plan.page.as_ref().and_then(|page| page.to_str().ok()).and_then(|page| origin(page).ok());
    let public_url = shared.settings.public_url.as_ref();
    if let Some(page) = page.filter(|page| plan.client.is_own_page(page, public_url)) {
        shared.warnings.warn_origin_refused(|| page.to_string(), setting);
    }
}

/// The largest body, in bytes, in which a JSON redirect is looked for. Auth.js answers a form with one URL. A larger
/// body is something else and passes unchanged.
const JSON_LIMIT: usize = 64 * 1024;

/// Removes what page scripts must not read from a session.
pub(super) async fn without_secrets(
    dialect: &dyn Dialect,
    response: Response,
) -> Result<Response, AuthError> {
    let not_searchable = || {
        AuthError::new(Reason::UPSTREAM_INVALID_RESPONSE)
            .because("the body of /session cannot be searched for a session token")
    };
    if response.headers().contains_key(CONTENT_ENCODING) {
        return Err(not_searchable());
    }
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, SESSION_LIMIT).await.map_err(body_error)?;
    let is_object = |body: &[u8]| {
        std::str::from_utf8(body).is_ok_and(|text| {
            serde_json::from_str::<Map<String, Value>>(&replace_lone_surrogates(text)).is_ok()
        })
    };
    if memmem::find(&body, dialect.secret_word().as_bytes()).is_some() && !is_object(&body) {
        return Err(not_searchable());
    }
    change_body(Response::from_parts(parts, Body::from(body)), SESSION_LIMIT, |body| {
        let text = std::str::from_utf8(body).ok()?;
        let mut session: Map<String, Value> = serde_json::from_str(&replace_lone_surrogates(text)).ok()?;
        dialect.remove_secrets(&mut session).then(|| serde_json::to_vec(&session).ok()).flatten()
    })
    .await
}

/// Applies `change` to the body of a response. A body over `limit` bytes passes unchanged.
async fn change_body(
    response: Response,
    limit: usize,
    change: impl FnOnce(&[u8]) -> Option<Vec<u8>>,
) -> Result<Response, AuthError> {
    let (mut parts, mut body) = response.into_parts();
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(body_error)?;
        let Ok(data) = frame.into_data() else { continue };
        read.extend_from_slice(&data);
        if read.len() > limit {
            let rest = Body::new(Prefixed::new(read.freeze(), body));
            return Ok(Response::from_parts(parts, rest));
        }
    }
    let Some(changed) = change(&read) else {
        return Ok(Response::from_parts(parts, Body::from(read.freeze())));
    };
    parts.headers.remove(CONTENT_LENGTH);
    Ok(Response::from_parts(parts, Body::from(changed)))
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}
