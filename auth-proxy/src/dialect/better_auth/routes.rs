//! The routes of Better Auth, and what requests to them do.

use http::Method;
use percent_encoding::percent_decode_str;

use crate::dialect::purpose::Purpose;
use crate::dialect::route::{Route, without_last_slash};

pub(in crate::dialect) const SESSION: &str = "/get-session";

/// Answered while the database is down (`docs/better-auth.md#routes`).
pub(in crate::dialect) const HEALTH: &str = "/ok";

const KEYS: &str = "/jwks";

/// The known route at a path. Any plugin can add routes, and an unknown route or method is a 404 of the upstream, so no
/// method is refused here. The upstream answers every HEAD with 404 (`docs/better-auth.md#routes`).
///
/// With `routes: strict`, these are the routes of the core without plugins.
pub(super) fn route(path: &str) -> Option<Route> {
    let path = without_last_slash(path);
    if matches!(path, SESSION | HEALTH | KEYS | "/error") {
        return Some(Route::READ_OR_ANY);
    }
    let (first, rest) = path.strip_prefix('/')?.split_once('/').unwrap_or((path.strip_prefix('/')?, ""));
    let is_known = match first {
        "sign-up" => rest == "email",
        "sign-in" => matches!(rest, "email" | "social"),
        "callback" | "reset-password" => {
            !rest.is_empty() && !rest.contains('/') || first == "reset-password" && rest.is_empty()
        }
        "delete-user" => matches!(rest, "" | "callback"),
        "sign-out"
        | "list-sessions"
        | "revoke-session"
        | "revoke-sessions"
        | "revoke-other-sessions"
        | "update-user"
        | "update-session"
        | "change-email"
        | "change-password"
        | "verify-password"
        | "verify-email"
        | "send-verification-email"
        | "request-password-reset"
        | "link-social"
        | "unlink-account"
        | "list-accounts"
        | "account-info"
        | "get-access-token"
        | "refresh-token"
        | "token" => rest.is_empty(),
        _ => false,
    };
    is_known.then_some(Route::ANY)
}

/// What a request does.
pub(super) fn purpose(method: &Method, path: &str) -> Purpose {
    // A server in front may decode a path, and with `advanced.skipTrailingSlashes` Better Auth ignores a slash at the end.
    // Each spelling of the session route must lose its session token.
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    let path = without_last_slash(&decoded);
    let is_safe = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE);
    let is_session = path == SESSION;
    Purpose {
        is_session,
        is_read: *method == Method::GET && matches!(path, SESSION | HEALTH | KEYS),
        // A POST to the session route renews the session, as the GET does (`docs/better-auth.md#get-session`).
        evicts_sessions: !is_session && (!is_safe || spends_something(path)),
        is_sign_in: *method == Method::POST && is_sign_in(path),
        switches_session: *method == Method::POST && switches_session(path),
        is_callback: false,
        is_same_for_all: matches!(path, HEALTH | KEYS),
        page: None,
    }
}

/// Whether a POST to this path tries to sign in, to register, to guess a password or a code, or to have a message sent: by
/// the core, or by the plugins username, phone-number, email-otp, magic-link, two-factor, passkey, siwe and organization.
fn is_sign_in(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    match segments.next().unwrap_or_default() {
        "sign-in"
        | "sign-up"
        | "request-password-reset"
        | "forget-password"
        | "reset-password"
        | "send-verification-email"
        | "verify-password"
        | "change-password"
        | "two-factor"
        | "email-otp"
        | "phone-number"
        | "magic-link"
        | "siwe"
        | "delete-user"
        | "change-email" => true,
        "organization" => segments.next() == Some("invite-member"),
        "passkey" => segments.next() == Some("verify-authentication"),
        _ => false,
    }
}

/// Whether a POST to this path sets a session for which nobody signs in, by the plugins admin and multi-session
/// (`docs/better-auth.md#session-switch`).
fn switches_session(path: &str) -> bool {
    matches!(
        path,
        "/admin/impersonate-user"
            | "/admin/stop-impersonating"
            | "/multi-session/set-active"
            | "/multi-session/revoke"
    )
}

/// Whether a GET of this path changes something: the callback of a provider, or a link in a mail. Those of plugins are
/// recognised by a segment of their path (`docs/better-auth.md#routes`).
fn spends_something(path: &str) -> bool {
    let is_of_link = |segment: &str| {
        segment.contains("callback")
            || segment.starts_with("verify")
            || segment == "magic-link"
            || segment == "oauth-proxy"
    };
    path.split('/').any(is_of_link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_method_of_a_route_is_refused() {
        for path in
            ["/get-session", "/sign-in/email", "/callback/github", "/reset-password", "/reset-password/abc"]
        {
            let route = route(path).unwrap();
            for method in [Method::GET, Method::POST, Method::HEAD, Method::DELETE] {
                assert!(route.allows(&method), "{method} {path}");
            }
        }
    }

    #[test]
    fn routes_of_plugins_are_unknown() {
        for path in
            ["", "/", "/sign-in", "/sign-in/magic-link", "/organization/create", "/callback", "/callback/a/b"]
        {
            assert_eq!(route(path), None, "{path}");
        }
    }

    #[test]
    fn head_is_answered_only_where_a_get_spends_nothing() {
        for (path, head) in [
            ("/get-session", true),
            ("/ok", true),
            ("/error", true),
            ("/callback/github", false),
            ("/verify-email", false),
        ] {
            assert_eq!(route(path).unwrap().head, head, "{path}");
        }
    }

    #[test]
    fn request_purpose_depends_on_method_and_path() {
        let (get, post) = (Method::GET, Method::POST);
        // is_session, is_read, evicts_sessions, is_same_for_all
        for (method, path, expected) in [
            (&get, "/get-session", [true, true, false, false]),
            (&get, "/get-session/", [true, true, false, false]),
            (&get, "/get%2Dsession", [true, true, false, false]),
            (&post, "/get-session", [true, false, false, false]),
            (&get, "/ok", [false, true, false, true]),
            (&get, "/jwks", [false, true, false, true]),
            (&get, "/token", [false, false, false, false]),
            (&get, "/list-sessions", [false, false, false, false]),
            (&post, "/sign-in/email", [false, false, true, false]),
            (&post, "/sign-out", [false, false, true, false]),
            (&post, "/organization/set-active", [false, false, true, false]),
            (&get, "/callback/github", [false, false, true, false]),
            (&get, "/oauth2/callback/mine", [false, false, true, false]),
            (&get, "/magic-link/verify", [false, false, true, false]),
            (&get, "/verify-email", [false, false, true, false]),
            (&get, "/delete-user/callback", [false, false, true, false]),
        ] {
            let found = purpose(method, path);
            let found = [found.is_session, found.is_read, found.evicts_sessions, found.is_same_for_all];
            assert_eq!(found, expected, "{method} {path}");
        }
    }
}
