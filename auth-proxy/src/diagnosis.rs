//! Warnings that name the fix, each said once by a proxy: misconfiguration that would otherwise show
//! as people who cannot stay signed in.

use std::sync::atomic::{AtomicBool, Ordering};

/// What was said already.
#[derive(Default)]
pub(crate) struct Diagnosis([AtomicBool; Finding::COUNT]);

/// A misconfiguration that a request gives away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// The cookies that lookups bring back reach no browser.
    CookiesLost,
    /// The browser has a session cookie under a name that does not count.
    OtherName,
    /// The session cookie has not the form of a token.
    NoToken,
    /// The upstream neither knew the session nor ended it.
    Undecided,
    /// A token names a key that is not configured.
    UnknownKey,
    /// A request came for a host that nobody but its client vouches for.
    HostUnknown,
    /// Somebody who is not believed says that clients come over https.
    SchemeIgnored,
    /// A sign-in was started that its callback cannot finish.
    Stranded,
    /// The same at Next.js, which ignores the host that it is told.
    StrandedByNextJs,
    /// The upstream makes its URLs of another origin than this app's; said in `proxy/foreign_urls.rs`.
    ForeignUrls,
}

impl Finding {
    const COUNT: usize = Self::ForeignUrls as usize + 1;
}

impl Diagnosis {
    /// Whether a finding was said, so that nobody looks for it again.
    pub(crate) fn has_said(&self, finding: Finding) -> bool {
        self.0.get(finding as usize).is_some_and(|said| said.load(Ordering::Relaxed))
    }

    /// Takes a finding as said. Whether it was not yet.
    pub(crate) fn settle(&self, finding: Finding) -> bool {
        self.0.get(finding as usize).is_some_and(|said| !said.swap(true, Ordering::Relaxed))
    }

    /// Says a finding, the first time.
    pub(crate) fn say(&self, finding: Finding, word: impl FnOnce() -> String) {
        if !self.settle(finding) {
            return;
        }
        let word = word();
        let cookie_name = word.as_str();
        match finding {
            Finding::CookiesLost => tracing::warn!(
                "the upstream renews sessions, and the cookies do not reach the browser: wrap the routes \
                 with `auth.attach(router)` or `.layer(auth.layer())`, or people are signed out early"
            ),
            Finding::NoToken => tracing::warn!(
                cookie_name,
                "a session cookie has not the form of a token, and was refused without asking the upstream: set \
                 `upstream.session_strategy: database` if the upstream keeps its sessions in a database"
            ),
            Finding::Undecided => tracing::warn!(
                cookie_name,
                "the upstream answered null for a session cookie, and neither cleared nor renewed it: its \
                 database is in trouble, or `upstream.cookie_name` is not the name that it uses"
            ),
            Finding::UnknownKey => tracing::warn!(
                cookie_name,
                "a token names a key that no configured secret gives: `upstream.secret` is not the upstream's \
                 AUTH_SECRET, an older one is missing from the list, or `upstream.cookie_name`, which is part \
                 of the key, is not the upstream's"
            ),
            Finding::HostUnknown => tracing::warn!(
                host = ?word.chars().take(100).collect::<String>(),
                "a sign-in request was refused: its host is not known to be this app's. Set `public_url` to this app's \
                 origin, or list its hosts in `hosts`, or have the proxy in front of it write `X-Forwarded-Host`, name \
                 that proxy in `trusted_proxies` and serve with `into_make_service_with_connect_info`"
            ),
            Finding::SchemeIgnored => tracing::warn!(
                "a peer that is not trusted says `X-Forwarded-Proto: https`, and this app takes itself to be on http: \
                 cookies have no `Secure` and redirects lead to http. Set `public_url`, or name the proxy in front of \
                 this app in `trusted_proxies` and serve with `into_make_service_with_connect_info`"
            ),
            Finding::Stranded => tracing::warn!(
                "the provider will send people back to the upstream's own host, where the cookies of this sign-in \
                 are missing: let the upstream see this app's host (`upstream.host: preserve`, and no AUTH_URL \
                 of its own), or share its cookies with this app by their domain (deployment parent-domain)"
            ),
            Finding::StrandedByNextJs => tracing::warn!(
                "the provider will send people back to the upstream's own host, where the cookies of this sign-in \
                 are missing: Next.js ignores Host, so that its route.js needs the lines of \
                 examples/nextjs/README.md of auth-proxy (next-auth v4: AUTH_TRUST_HOST), or AUTH_URL \
                 (NEXTAUTH_URL) has to be this app's origin"
            ),
            // Said by `say_other_name`, and in `proxy/foreign_urls.rs`.
            Finding::OtherName | Finding::ForeignUrls => {}
        }
    }
}

impl Diagnosis {
    /// Says, the first time, that a session cookie came under a name that does not count.
    pub(crate) fn say_other_name(&self, cookie_names: &str, other: &str) {
        if !self.settle(Finding::OtherName) {
            return;
        }
        if other.contains("next-auth") {
            tracing::warn!(
                cookie_name = cookie_names,
                other,
                "a request carries the session cookie of next-auth v4: set `upstream.kind: next_auth_v4`"
            );
        } else {
            tracing::warn!(
                cookie_name = cookie_names,
                other,
                "a request carries the session cookie under another name: remove `upstream.kind`, or set \
                 `upstream.cookie_name` to it, or `public_url`, from which the name follows"
            );
        }
    }
}

/// The name that Auth.js gives the cookie under the other scheme (`core/lib/utils/cookie.ts:59-131`).
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
    fn the_other_name() {
        assert_eq!(other_prefix("authjs.session-token"), "__Secure-authjs.session-token");
        assert_eq!(other_prefix("__Secure-authjs.session-token"), "authjs.session-token");
    }

    #[test]
    fn there_is_a_flag_for_each() {
        let diagnosis = Diagnosis::default();
        for finding in [
            Finding::CookiesLost,
            Finding::OtherName,
            Finding::NoToken,
            Finding::Undecided,
            Finding::UnknownKey,
            Finding::HostUnknown,
            Finding::SchemeIgnored,
            Finding::Stranded,
            Finding::StrandedByNextJs,
            Finding::ForeignUrls,
        ] {
            assert!(diagnosis.0.get(finding as usize).is_some());
        }
    }
}
