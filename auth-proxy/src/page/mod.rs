//! Error pages: HTML instead of a problem body, when a browser loads a page.
//!
//! It knows the error and the headers of the request. It knows nothing of sessions, tokens or the upstream, and puts
//! nothing from a request into a page.
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

/// The app's own page for an error.
pub(crate) type ErrorPage = Arc<dyn Fn(&AuthError) -> Response + Send + Sync>;

/// Puts a page in the place of a problem body, where a person would see it: a navigation, and 403 or 502 to 504.
///
/// A response that only was an [`AuthError`] and got another body since is left alone.
pub(crate) fn shown(mut response: Response, navigates: bool, own: Option<&ErrorPage>) -> Response {
    if !is_for_people(response.status()) || response.headers().get(CONTENT_TYPE) != Some(&PROBLEM) {
        return response;
    }
    let Some(error) = response.extensions().get::<AuthError>().cloned() else { return response };
    let accept = HeaderValue::from_static("Accept");
    if !response.headers().get_all(VARY).iter().any(|line| line == accept) {
        response.headers_mut().append(VARY, accept);
    }
    if !navigates {
        return response;
    }
    let page = own.map_or_else(|| html::page(&error), |own| own(&error));
    over(response, page)
}

/// 401 leads to the sign-in page, or is for programs; what is wrong with a request is for who made it.
fn is_for_people(status: StatusCode) -> bool {
    matches!(status.as_u16(), 403 | 502..=504)
}

/// The headers that say something of the body (RFC 9110, sections 8.3 to 8.8), which goes. A layer of the app's may have
/// compressed it.
const OF_THE_BODY: [HeaderName; 5] = [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING, ETAG, LAST_MODIFIED];

/// The page, with what it leaves open of the response that it stands for. 200 is what a response has of whose status
/// nothing was said.
fn over(response: Response, mut page: Response) -> Response {
    let (mut parts, _) = response.into_parts();
    if page.status() == StatusCode::OK {
        *page.status_mut() = parts.status;
    }
    for name in OF_THE_BODY {
        parts.headers.remove(name);
    }
    for line in parts.headers.get_all(VARY) {
        page.headers_mut().append(VARY, line.clone());
    }
    // A name that is in both has the page's values.
    parts.headers.extend(std::mem::take(page.headers_mut()));
    *page.headers_mut() = parts.headers;
    parts.extensions.extend(std::mem::take(page.extensions_mut()));
    *page.extensions_mut() = parts.extensions;
    page
}
