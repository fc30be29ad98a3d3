//! Warnings about a misconfiguration and its fix. A proxy logs each of them once.
//!
//! Imports the rooms: none.
//! Does without the crates: `axum`, `http`, `hyper`, `jsonwebtoken`, `serde`, `tokio`, `tower`.

use std::sync::atomic::{AtomicBool, Ordering};

/// Which warnings were logged.
#[derive(Default)]
pub(crate) struct OnceWarnings([AtomicBool; Warning::COUNT]);

/// A misconfiguration that a request reveals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Warning {
    /// The upstream renews session cookies, and no layer relays them to the browser.
    CookiesNotRelayed,
    /// The browser sends a session cookie under another name than the configured one.
    OtherCookieName,
    /// The upstream sets a session cookie under another name than the configured one.
    OtherNameSet,
    /// The session cookie does not look like a token, with `session_strategy: jwt`.
    NoTokenShape,
    /// The upstream answered null for a session cookie and neither cleared nor renewed it.
    AmbiguousSession,
    /// A token names a key (`kid`) that no configured secret produces.
    UnknownKey,
    /// A session cookie is not signed with any configured secret.
    SignatureUnknown,
    /// A sign-in request has a host that is not known to be this app's.
    UntrustedHost,
    /// A peer that is not a trusted proxy claims that the client used https.
    IgnoredHttpsClaim,
    /// The provider will send the browser to a host other than this app's, where the cookies of the sign-in are
    /// missing.
    CallbackOnOtherHost,
    /// The upstream refused a request because of its `Origin`, though a page of this app sent it.
    OriginRefused,
    /// A rule limits the age of the sign-in, and nothing says when it was.
    SignInTimeUnknown,
    /// A peer that is not a trusted proxy asks for a verdict.
    VerdictForUntrusted,
    /// A trusted proxy does not say clearly which request it asks about.
    VerdictWithoutRequest,
    /// A session has no id of its user, which the verdict hands on.
    VerdictWithoutSubject,
    /// `sign_in_limit.per_ip` cannot count, because the address of the client is unknown.
    ClientUnknown,
    /// `sign_in_limit.per_ip` refuses requests of a peer that may be a proxy in front of this app.
    OneAddressForAll,
    /// A visitor signed in again, and the upstream noted no new time.
    SignInChangedNothing,
    /// The upstream's responses have URLs of another origin than this app's. Logged in `proxy/foreign_urls.rs`.
    ForeignUrls,
}

impl Warning {
    const COUNT: usize = Self::ForeignUrls as usize + 1;
}

impl OnceWarnings {
    /// Whether a warning was logged. Then the caller can skip a costly check.
    pub(crate) fn was_logged(&self, warning: Warning) -> bool {
        self.0.get(warning as usize).is_some_and(|logged| logged.load(Ordering::Relaxed))
    }

    /// Marks a warning as logged. Returns true the first time.
    pub(crate) fn mark_logged(&self, warning: Warning) -> bool {
        self.0.get(warning as usize).is_some_and(|logged| !logged.swap(true, Ordering::Relaxed))
    }

    /// Logs a warning the first time. `word` returns the variable part of the message: a cookie name, a
    /// host, or the setting to change.
    pub(crate) fn warn_once(&self, warning: Warning, word: impl FnOnce() -> String) {
        if !self.mark_logged(warning) {
            return;
        }
        let word = word();
        let cookie_name = word.as_str();
        match warning {
            Warning::CookiesNotRelayed => tracing::warn!(
                target: "auth_proxy::config",
                "the upstream renews sessions, but the cookies do not reach the browser: wrap the routes \
                 with `auth.attach(router)` or `.layer(auth.session_cookie_layer())`, or visitors are signed out early"
            ),
            Warning::OtherNameSet => tracing::warn!(
                target: "auth_proxy::config",
                other = ?word.chars().take(100).collect::<String>(),
                "the upstream sets a session cookie under a name that is not read here, so every request is without a \
                 session: set `upstream.cookie_name` to it, or `upstream.kind` to the kind of upstream that uses it"
            ),
            Warning::NoTokenShape => tracing::warn!(
                target: "auth_proxy::config",
                cookie_name,
                "a session cookie is not a token, so it was refused without asking the upstream: set \
                 `upstream.session_strategy: database` if the upstream keeps its sessions in a database"
            ),
            Warning::AmbiguousSession => tracing::warn!(
                target: "auth_proxy::config",
                cookie_name,
                "the upstream answered null for a session cookie, and neither cleared nor renewed it: its \
                 database is in trouble, or `upstream.cookie_name` is not the name that it uses"
            ),
            Warning::SignatureUnknown => tracing::warn!(
                target: "auth_proxy::config",
                cookie_name,
                "a session cookie is not signed with any configured secret, so it was refused without asking the \
                 upstream: it is forged, or `upstream.secret` is not the upstream's"
            ),
            Warning::UntrustedHost => tracing::warn!(
                target: "auth_proxy::config",
                host = ?word.chars().take(100).collect::<String>(),
                "a sign-in request was refused: its host is not one of this app's. Set `public_url` to this app's \
                 origin, or list its hosts in `hosts`, or have the proxy in front of it write `X-Forwarded-Host` and name \
                 that proxy in `trusted_proxies` (an axum app serves with `into_make_service_with_connect_info` then)"
            ),
            Warning::IgnoredHttpsClaim => tracing::warn!(
                target: "auth_proxy::config",
                "a peer that is not trusted sends `X-Forwarded-Proto: https`, but this app assumes http: \
                 cookies have no `Secure` and redirects lead to http. Set `public_url`, or name the proxy in front of \
                 this app in `trusted_proxies` and serve with `into_make_service_with_connect_info`"
            ),
            Warning::CallbackOnOtherHost => tracing::warn!(
                target: "auth_proxy::config",
                "the provider will send visitors back to the upstream's own host, where the cookies of this sign-in \
                 are missing: {word}, or share its cookies with this app by their domain (see the parent-domain \
                 deployment in the guide)"
            ),
            Warning::SignInTimeUnknown => tracing::warn!(
                target: "auth_proxy::config",
                "a rule with `max_age` refused a visitor, because it is not known when the visitor signed in: {word}"
            ),
            Warning::VerdictForUntrusted => tracing::warn!(
                target: "auth_proxy::config",
                cause = word,
                "a question to the verdict endpoint was refused: name the proxy that asks in `trusted_proxies`, and serve \
                 with `into_make_service_with_connect_info`. Requests of anybody else must not reach the endpoint"
            ),
            Warning::VerdictWithoutRequest => tracing::warn!(
                target: "auth_proxy::config",
                cause = word,
                "a question to the verdict endpoint was refused: have the proxy send `X-Original-URI` and \
                 `X-Original-Method`, or `X-Forwarded-Uri` and `X-Forwarded-Method`, once each, in place of those of the \
                 client"
            ),
            Warning::VerdictWithoutSubject => tracing::warn!(
                target: "auth_proxy::config",
                "the verdict on a signed-in visitor has no `X-Auth-Subject`, since the session has no id of its user: have \
                 the upstream's session callback return `user.id`, or set `upstream.secret`"
            ),
            Warning::ClientUnknown => tracing::warn!(
                target: "auth_proxy::config",
                "`sign_in_limit.per_ip` counts nothing: the address of the client is unknown. Serve with \
                 `into_make_service_with_connect_info::<SocketAddr>()`"
            ),
            Warning::OneAddressForAll => tracing::warn!(
                target: "auth_proxy::config",
                "`sign_in_limit.per_ip` refuses requests that have `X-Forwarded-For`: if a proxy in front of this app wrote \
                 it, all visitors count as one. Name that proxy in `trusted_proxies`"
            ),
            Warning::SignInChangedNothing => tracing::warn!(
                target: "auth_proxy::config",
                "a visitor was sent to sign in again, and came back with the sign-in of before: the visitor left the \
                 sign-in page, or the upstream notes no new time, as with an `auth_time` of a provider that does not ask \
                 for the password again (`prompt=login`)"
            ),
            // Logged by the functions below, and in `proxy/foreign_urls.rs`.
            Warning::UnknownKey
            | Warning::OriginRefused
            | Warning::OtherCookieName
            | Warning::ForeignUrls => {}
        }
    }
}

impl OnceWarnings {
    /// Logs `UnknownKey` the first time. `secret_variable` is the variable with the secret of the upstream.
    pub(crate) fn warn_unknown_key(&self, cookie_names: impl FnOnce() -> String, secret_variable: &str) {
        if self.mark_logged(Warning::UnknownKey) {
            tracing::warn!(
                target: "auth_proxy::config",
                cookie_name = cookie_names(),
                "a token names a key that no configured secret gives: `upstream.secret` is not the upstream's \
                 {secret_variable}, an older one is missing from the list, or `upstream.cookie_name`, which is part \
                 of the key, is not the upstream's"
            );
        }
    }

    /// Logs `OriginRefused` the first time. `setting` is what to change at the upstream.
    pub(crate) fn warn_origin_refused(&self, origin: impl FnOnce() -> String, setting: &str) {
        if self.mark_logged(Warning::OriginRefused) {
            tracing::warn!(
                target: "auth_proxy::config",
                origin = origin(),
                "the upstream refuses requests of this app's own pages: {setting}"
            );
        }
    }

    /// Logs `OtherCookieName` the first time. `other` is the name that the request has, and `kind` the only kind of
    /// upstream that uses it.
    pub(crate) fn warn_other_cookie_name(&self, cookie_names: &str, other: &str, kind: Option<&str>) {
        if !self.mark_logged(Warning::OtherCookieName) {
            return;
        }
        if let Some(kind) = kind {
            tracing::warn!(
                target: "auth_proxy::config",
                cookie_name = cookie_names,
                other,
                "a request carries the session cookie of another kind of upstream: set `upstream.kind: {kind}`, unless \
                 another proxy of this app reads that cookie"
            );
        } else {
            tracing::warn!(
                target: "auth_proxy::config",
                cookie_name = cookie_names,
                other,
                "a request carries the session cookie under another name: remove `upstream.kind`, or set \
                 `upstream.cookie_name` to it, or `public_url`, from which the name follows"
            );
        }
    }
}

/// The name of the session cookie under the other scheme: with `__Secure-` for https, without it for http
/// (`docs/authjs.md#cookie-names`).
pub(crate) fn other_prefix(cookie_name: &str) -> String {
    match cookie_name.strip_prefix("__Secure-") {
        Some(plain) => plain.to_owned(),
        None => format!("__Secure-{cookie_name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_prefix_adds_or_removes_secure() {
        assert_eq!(other_prefix("authjs.session-token"), "__Secure-authjs.session-token");
        assert_eq!(other_prefix("__Secure-authjs.session-token"), "authjs.session-token");
    }

    #[test]
    fn each_warning_has_a_flag_for_logging_it_once() {
        let warnings = OnceWarnings::default();
        for warning in [
            Warning::CookiesNotRelayed,
            Warning::OtherCookieName,
            Warning::OtherNameSet,
            Warning::NoTokenShape,
            Warning::AmbiguousSession,
            Warning::UnknownKey,
            Warning::SignatureUnknown,
            Warning::UntrustedHost,
            Warning::IgnoredHttpsClaim,
            Warning::CallbackOnOtherHost,
            Warning::OriginRefused,
            Warning::SignInTimeUnknown,
            Warning::VerdictForUntrusted,
            Warning::VerdictWithoutRequest,
            Warning::VerdictWithoutSubject,
            Warning::ClientUnknown,
            Warning::OneAddressForAll,
            Warning::SignInChangedNothing,
            Warning::ForeignUrls,
        ] {
            assert!(warnings.0.get(warning as usize).is_some());
        }
    }
}
