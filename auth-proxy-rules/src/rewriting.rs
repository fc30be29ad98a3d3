//! [`Rewriting`]: which parts of the upstream's responses are rewritten.

use crate::words_or_text::CookieDomain;

/// Which parts of the upstream's responses are rewritten, so that they fit this app's origin and path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewriting {
    /// `Location`, and the `{"url": ..}` that clients get in its place.
    pub location: bool,
    /// The `Domain` of cookies.
    pub cookie_domain: CookieDomain,
    /// The `Path` of cookies, if the base paths differ.
    pub cookie_path: bool,
    /// `Secure` and `SameSite=None` of cookies. Never true unless `public_url` is http.
    pub cookie_secure: bool,
    /// The prefixes `__Secure-` and `__Host-` of cookie names. Never true unless `public_url` is http.
    pub cookie_prefix: bool,
}
