//! Auth.js (`@auth/core`), and what its forks and predecessors have in common with it.

mod session;

use http::Method;

pub(super) use self::session::{SESSION_HEADERS, read_session};
use super::purpose::{Page, Purpose};
use super::route::{Route, without_last_slash};
use super::software::Software;
use super::token_key::TokenKeySource;

/// Without a prefix.
pub(super) const COOKIE: &str = auth_proxy_rules::AUTHJS_COOKIE;

pub(super) const SESSION: &str = "/session";

/// The variable with its secret.
pub(super) const SECRET: &str = "AUTH_SECRET";

/// Answered without a database.
pub(super) const HEALTH: &str = "/providers";

/// The known route at the segments of a path (`docs/authjs.md#routes`).
#[expect(clippy::match_same_arms, reason = "a table: a row for each route")]
pub(super) fn route(segments: &[&str]) -> Option<Route> {
    Some(match segments {
        ["providers" | "csrf" | "verify-request"] => Route::READ,
        ["session" | "signin" | "signout"] => Route::READ_OR_POST,
        // A link to a provider: Auth.js answers with an error page, next-auth v4 with its sign-in page.
        ["signin", _] => Route::GET_OR_POST,
        ["callback", _] => Route::GET_OR_POST,
        ["error"] => Route::READ,
        ["webauthn-options"] | ["webauthn-options", _] => Route::GET,
        _ => return None,
    })
}

/// What a request does. The path is decoded. `changes_nothing` says whether a POST to this path changes nothing.
pub(super) fn purpose(method: &Method, path: &str, changes_nothing: impl Fn(&str) -> bool) -> Purpose {
    let name = without_last_slash(path);
    // These requests change something: unsafe methods (RFC 9110, section 9.2.1), a provider's callback, and links in
    // mails.
    let is_safe = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE);
    let changes = !is_safe || path.starts_with("/callback/") || name.ends_with("/confirm");
    Purpose {
        is_session: name == SESSION,
        is_read: *method == Method::GET && matches!(name, SESSION | "/providers" | "/csrf"),
        evicts_sessions: changes && !changes_nothing(name),
        is_sign_in: *method == Method::POST && is_sign_in(name),
        switches_session: false,
        is_callback: name.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("/callback/")),
        is_same_for_all: name == "/providers",
        page: match name {
            "/providers" => Some(Page::Providers),
            "/signin" => Some(Page::SignIn),
            _ => None,
        },
    }
}

/// Whether a POST to this path tries to sign in, by Auth.js or by the additional routes of Robo. A provider's id can be any,
/// so a start of OAuth counts too, which needs no more than one for each sign-in. next-auth v4 ignores further segments. Some
/// frameworks ignore the case of a path.
fn is_sign_in(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let segments: Vec<&str> = name.split('/').filter(|segment| !segment.is_empty()).take(4).collect();
    matches!(
        segments.as_slice(),
        ["signin" | "callback", _, ..]
            | ["signup"]
            | ["verify-email", "request"]
            | ["password", "reset", "request" | "confirm"]
    )
}

/// The part before the `@` and the domain of an address, as it sends mail to it: what is before a second `@`, and of the
/// domain what is before a comma (`core/lib/actions/signin/send-token.ts`, `defaultNormalizer`). Without an `@` there is no
/// domain.
pub(crate) fn address_parts(address: &str) -> (&str, Option<&str>) {
    let mut parts = address.split('@');
    let local = parts.next().unwrap_or_default();
    (local, parts.next().map(|domain| domain.split(',').next().unwrap_or_default()))
}

/// The pages on which a sign-in or sign-out begins.
pub(super) fn begins_sign_in(path: &str) -> bool {
    let name = without_last_slash(path);
    matches!(name, "/signin" | "/signout") || name.starts_with("/signin/")
}

/// The salt is the full name of the session cookie (`docs/authjs.md#token-key`).
pub(super) fn token_key(cookie_name: &str) -> TokenKeySource {
    TokenKeySource {
        salt: cookie_name.to_owned(),
        info: format!("Auth.js Generated Encryption Key ({cookie_name})"),
    }
}

/// What to change, so that the provider sends visitors back to this app's host.
pub(super) fn callback_host_setting(software: Software) -> &'static str {
    match software {
        Software::NextJs => {
            "Next.js ignores Host, so add the lines of examples/nextjs/README.md of auth-proxy to its route.js, or set \
             AUTH_URL to this app's origin"
        }
        Software::Express | Software::Unknown => {
            "let the upstream see this app's host (`upstream.host: preserve`, and no AUTH_URL of its own)"
        }
    }
}

/// What to change, so that it builds its URLs with this app's origin.
pub(super) fn origin_setting(software: Software) -> &'static str {
    match software {
        Software::NextJs => {
            "Next.js ignores Host: add the lines of examples/nextjs/README.md of auth-proxy to its route.js, and the key \
             that they check (`x-api-key`) to `upstream.headers` here; or set AUTH_URL there to this app's origin"
        }
        Software::Express => {
            "Express builds its URLs from the Host header: have the proxies between it and this app forward Host"
        }
        Software::Unknown => {
            "unset AUTH_URL at the upstream, or set it to this app's origin, and have the proxies between it and this \
             app forward Host"
        }
    }
}

/// The first URL in the body of a page that the upstream built with its own origin. `base` is its base path.
pub(super) fn url_in_page(page: Page, body: &[u8], base: &str) -> Option<String> {
    match page {
        Page::Providers => provider_url(body),
        Page::SignIn => form_url(&String::from_utf8_lossy(body), base),
    }
}

/// `signinUrl` or `callbackUrl` of the first provider (`docs/authjs.md#providers`: an object by provider).
fn provider_url(body: &[u8]) -> Option<String> {
    let providers: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(body).ok()?;
    let provider = providers.values().next()?;
    let url = |name: &str| provider.get(name)?.as_str().map(str::to_owned);
    url("signinUrl").or_else(|| url("callbackUrl"))
}

/// The `action` of the first form that is posted below the upstream's base path.
fn form_url(html: &str, base: &str) -> Option<String> {
    let tags = html.split("<form").skip(1).filter_map(|rest| rest.split_once('>'));
    let actions = tags.filter_map(|(tag, _)| tag.split_once("action=\"")?.1.split('"').next());
    actions.map(str::to_owned).find(|action| action.contains(&format!("{base}/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_provider_or_form_url_is_found() {
        for (body, url) in [
            (r#"{"a":{"signinUrl":"s","callbackUrl":"c"},"b":{}}"#, Some("s")),
            (r#"{"a":{"callbackUrl":"c"}}"#, Some("c")),
            (r#"{"a":{"signinUrl":1}}"#, None),
            ("{}", None),
            ("[]", None),
            ("null", None),
            ("{\"a\":{\"signinUrl\":\"s", None),
        ] {
            assert_eq!(provider_url(body.as_bytes()).as_deref(), url, "{body}");
        }
        let form = r#"<form class="x" action="http://a/api/auth/signin/x" method="POST">"#;
        for (html, url) in [
            (form.to_owned(), Some("http://a/api/auth/signin/x")),
            (
                format!(r#"<form action="https://search.example/"></form>{form}"#),
                Some("http://a/api/auth/signin/x"),
            ),
            (r#"<form action="/api/auth/signin/x">"#.to_owned(), Some("/api/auth/signin/x")),
            (r#"<form action="http://a/api/auth/sig"#.to_owned(), None),
            ("<form><a action=\"/api/auth/x\">".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(form_url(&html, "/api/auth").as_deref(), url, "{html}");
        }
    }
}
