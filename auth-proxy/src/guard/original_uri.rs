//! The URI that the client sent.

use axum::extract::OriginalUri;
use http::Uri;
use http::request::Parts;

/// The URI of a request as it was sent: also in a nested router, which shortens it.
pub(super) fn original_uri(parts: &Parts) -> &Uri {
    parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0)
}
