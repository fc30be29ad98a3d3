//! The head of an answer of the app.

use http::header::{ALT_SVC, VIA};

use crate::forwarded::strip_hop_by_hop;

/// Removes the headers of the connection to the app. `Alt-Svc` names other ports and protocols of the app (RFC 7838),
/// where no rule stands in front of it.
pub(super) fn clean<B>(response: &mut http::Response<B>) {
    strip_hop_by_hop(response.headers_mut());
    response.headers_mut().remove(ALT_SVC);
    response.headers_mut().remove(VIA);
}
