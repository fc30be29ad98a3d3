//! The cookie that notes a redirect to a new sign-in, so that a sign-in without an effect is not asked for twice in a row.
//!
//! A server may sign the visitor in again without noting a new time: an OpenID provider with a session of its own keeps
//! its `auth_time`. Without a limit the browser would go back and forth between that server and the page.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use http::HeaderMap;
use http::HeaderValue;

use super::rule::Visitor;
use crate::cookie;
use crate::error::StepUp;
use crate::provider::AuthProxy;

/// The cookie that notes a redirect to the sign-in page, with the sign-in that was too old. It decides nothing but whether
/// this browser is redirected once more.
const COOKIE: &str = "auth-proxy.step-up";

/// Its name over https, which no other host of the domain can set (RFC 6265bis, section 4.1.3.2).
const SECURE_COOKIE: &str = "__Host-auth-proxy.step-up";

/// How long a sign-in may take, in seconds.
const MAX_AGE: u32 = 600;

/// What a new sign-in has to change. If a visitor comes back with the same, the sign-in did not help.
pub(super) fn mark<P: AuthProxy>(step_up: &StepUp, visitor: &Visitor<'_, P>) -> String {
    // A new sign-in of the wrong class has a new time. The text of a class may not fit into a cookie. The note is not
    // forgotten when the visitor passes: a page with another rule, which another tab asks for, would start the loop again.
    if !step_up.acr_values().is_empty() {
        let mut hasher = DefaultHasher::new();
        step_up.acr_values().hash(&mut hasher);
        return format!("acr-{:x}", hasher.finish());
    }
    visitor.signed_in_seconds().map_or_else(|| "unknown".to_owned(), |at| at.to_string())
}

/// Whether the visitor was just redirected with this mark.
pub(super) fn is_set(headers: &HeaderMap, mark: &str, is_secure: bool) -> bool {
    cookie::value(headers, name(is_secure)) == Some(mark.as_bytes())
}

/// The cookie of a redirect. `None` if it cannot be written.
pub(super) fn set(mark: &str, is_secure: bool) -> Option<HeaderValue> {
    line(mark, MAX_AGE, is_secure)
}

/// Removes the cookie, so that a later request is redirected again.
pub(super) fn clear(is_secure: bool) -> Option<HeaderValue> {
    line("", 0, is_secure)
}

fn name(is_secure: bool) -> &'static str {
    if is_secure { SECURE_COOKIE } else { COOKIE }
}

fn line(value: &str, max_age: u32, is_secure: bool) -> Option<HeaderValue> {
    let (name, secure) = (name(is_secure), if is_secure { "; Secure" } else { "" });
    let cookie = format!("{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&cookie).ok()
}
