//! Error pages: replaces the JSON body of an error by HTML when a browser loads a page.
//!
//! This room reads the error and the request's headers. It knows nothing of sessions, tokens or the upstream, and puts
//! no data from a request into a page.
//!
//! Imports the rooms: `error`.
//! Does without the crates: `hyper`, `tokio`, `tower`, `serde_json`.

mod html;
mod navigation;

use std::sync::Arc;

use axum::response::Response;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, LAST_MODIFIED, VARY};
use http::{HeaderName, HeaderValue, StatusCode};

pub(crate) use self::navigation::is_navigation;
use crate::error::{AuthError, PROBLEM};

/// The app's function that makes its own error page.
pub(crate) type ErrorPage = Arc<dyn Fn(&AuthError) -> Response + Send + Sync>;

/// Replaces the problem body (RFC 9457) by a page, for a navigation that fails with 403, 421, 429 or 502 to 504, or for which
/// signing in again did not help.
///
/// A response whose body the app has already replaced is left unchanged.
pub(crate) fn shown(mut response: Response, navigates: bool, custom: Option<&ErrorPage>) -> Response {
    if response.headers().get(CONTENT_TYPE) != Some(&PROBLEM) {
        return response;
    }
    let Some(error) = response.extensions().get::<AuthError>().cloned() else { return response };
    if !is_shown_to_visitors(response.status()) && error.step_up().is_none() {
        return response;
    }
    let accept = HeaderValue::from_static("Accept");
    if !response.headers().get_all(VARY).iter().any(|line| line == accept) {
        response.headers_mut().append(VARY, accept);
    }
    if !navigates {
        return response;
    }
    let page = custom.map_or_else(|| html::page(&error), |custom| custom(&error));
    replace(response, page)
}

/// Whether a visitor sees a response with this status. A 401 goes to a program, or becomes a redirect to the sign-in
/// page. Other 4xx statuses tell a program what is wrong with its request.
fn is_shown_to_visitors(status: StatusCode) -> bool {
    matches!(status.as_u16(), 403 | 421 | 429 | 502..=504)
}

/// Headers that describe the old body (RFC 9110, sections 8.3 to 8.8) and are wrong for the page. `Content-Encoding` is
/// there if a layer of the app has compressed the body.
const BODY_HEADERS: [HeaderName; 5] = [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING, ETAG, LAST_MODIFIED];

/// Adds the status, headers and extensions of the replaced response to the page, unless the page sets them itself. A
/// page with status 200 gets the old status, since 200 is the default of a new response.
fn replace(response: Response, mut page: Response) -> Response {
    let (mut parts, _) = response.into_parts();
    if page.status() == StatusCode::OK {
        *page.status_mut() = parts.status;
    }
    for name in BODY_HEADERS {
        parts.headers.remove(name);
    }
    for line in parts.headers.get_all(VARY) {
        page.headers_mut().append(VARY, line.clone());
    }
    // `extend` replaces the values of a header that the page sets too.
    parts.headers.extend(std::mem::take(page.headers_mut()));
    *page.headers_mut() = parts.headers;
    parts.extensions.extend(std::mem::take(page.extensions_mut()));
    *page.extensions_mut() = parts.extensions;
    page
}
