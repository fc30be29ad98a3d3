//! The cookies beside the session cookie that belong to the same session.

use auth_proxy_rules::{CompanionRole, Settings};
use http::HeaderMap;
use http::header::COOKIE;
use zeroize::Zeroizing;

use super::percent::decode_or_keep;
use super::scan::{Chosen, chunk_number, scan};
use super::shape::is_base64url;
use super::text::{pairs, split};

/// A cookie that belongs to the session cookie of one name.
pub(crate) struct Companion {
    upstream: String,
    browser: String,
    role: CompanionRole,
}

/// The cookies that belong to the session cookie of one name. Most upstreams have none.
pub(crate) struct Companions(Vec<Companion>);

/// The cookies of one request that belong to its session cookie.
#[derive(Default)]
pub(crate) struct CompanionCookies {
    /// The cookie cache as a `Cookie` line, with all its chunks. Empty for none.
    pub(super) cache_line: Zeroizing<String>,
    /// The others that a lookup sends, as a `Cookie` line. Empty for none.
    pub(super) other_line: Zeroizing<String>,
    /// The value of the cookie cache.
    pub(super) cache: Option<Zeroizing<String>>,
}

impl Companions {
    pub(super) fn of(settings: &Settings, session_cookie: &str) -> Self {
        let companion = |rule: auth_proxy_rules::Companion| Companion {
            browser: settings.browser_name(&rule.name).to_owned(),
            upstream: rule.name,
            role: rule.role,
        };
        Self(settings.companions(session_cookie).into_iter().map(companion).collect())
    }

    /// The cookies with this role, as `name=value; name=value` with the names of the upstream. Of two cookies of one name
    /// the first counts, as for the session cookie.
    fn line(&self, headers: &HeaderMap, role: CompanionRole) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::new());
        let mut seen = Vec::new();
        for pair in headers.get_all(COOKIE).iter().flat_map(|line| pairs(line.as_bytes())) {
            let (Some(sent), (_, Some(value))) = (self.name_at_upstream(pair, role), split(pair, b'='))
            else {
                continue;
            };
            let Ok(value) = std::str::from_utf8(value.trim_ascii()) else { continue };
            if value.is_empty() || seen.contains(&sent) {
                continue;
            }
            let separator = if text.is_empty() { "" } else { "; " };
            text.extend([separator, sent.as_str(), "=", value]);
            seen.push(sent);
        }
        text
    }

    /// The name that a cookie of the browser has at the upstream, if it has this role.
    fn name_at_upstream(&self, pair: &[u8], role: CompanionRole) -> Option<String> {
        let (key, _) = split(pair, b'=');
        let key = std::str::from_utf8(key.trim_ascii()).ok()?;
        self.0.iter().filter(|companion| companion.role == role).find_map(|companion| {
            let suffix = key.strip_prefix(companion.browser.as_str())?;
            let is_named = suffix.is_empty() || chunk_number(suffix.as_bytes()).is_some();
            is_named.then(|| format!("{}{suffix}", companion.upstream))
        })
    }

    /// The value of the cookie cache, decoded and joined. `None` if there is none.
    fn cache(&self, headers: &HeaderMap) -> Option<Zeroizing<String>> {
        let companion = self.0.iter().find(|companion| companion.role == CompanionRole::Cache)?;
        let [found] = scan(headers, &[companion.browser.as_str()]).ok()?;
        Some(Zeroizing::new(match found.choose(false)? {
            Chosen::Whole(value) => decode_or_keep(value).into_owned(),
            Chosen::Chunks(chunks) => chunks.joined_chunks(),
        }))
    }

    /// The names in the browser.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|companion| companion.browser.as_str())
    }

    /// The cookies of a request.
    pub(crate) fn read(&self, headers: &HeaderMap) -> CompanionCookies {
        if self.0.is_empty() {
            return CompanionCookies::default();
        }
        // Better Auth 1.7 answers invalid base64 with status 500, which would look like an outage
        // (`docs/better-auth.md#cookie-cache`).
        let cache =
            self.cache(headers).filter(|cache| cache.split('.').all(|part| is_base64url(part.as_bytes())));
        let cache_line = cache.as_ref().map(|_| self.line(headers, CompanionRole::Cache));
        CompanionCookies {
            cache_line: cache_line.unwrap_or_default(),
            other_line: self.line(headers, CompanionRole::Sent),
            cache,
        }
    }
}

#[cfg(test)]
mod tests {
    use auth_proxy_rules::{Draft, OptionKey};

    use super::*;

    fn companions(kind: &str, public_url: &str, session_cookie: &str) -> Companions {
        let mut draft = Draft::default();
        for (option, text) in
            [(OptionKey::BaseUrl, "http://auth"), (OptionKey::Kind, kind), (OptionKey::PublicUrl, public_url)]
        {
            draft.set(option, text).unwrap();
        }
        Companions::of(&draft.resolve().unwrap(), session_cookie)
    }

    fn plain() -> Companions {
        companions("better_auth", "https://app.example.com", "better-auth.session_token")
    }

    fn headers(lines: &[&'static str]) -> HeaderMap {
        lines.iter().map(|line| (COOKIE, http::HeaderValue::from_static(line))).collect()
    }

    #[test]
    fn lookup_gets_the_companions_and_no_other_cookie() {
        for (lines, cache, other) in [
            (
                &["better-auth.session_data=abcd; theme=dark; better-auth.dont_remember=true.x"][..],
                "better-auth.session_data=abcd",
                "better-auth.dont_remember=true.x",
            ),
            (
                &["better-auth.session_data.0=ab; x=1", "better-auth.session_data.1=cd"],
                "better-auth.session_data.0=ab; better-auth.session_data.1=cd",
                "",
            ),
            (
                &["better-auth.session_data=none; better-auth.session_data=more"],
                "better-auth.session_data=none",
                "",
            ),
            (
                &["better-auth.session_data=; better-auth.session_data_x=1; better-auth.session_data.01=1"],
                "",
                "",
            ),
            (&["better-auth.account_data=1; better-auth.state=1; xbetter-auth.session_data=1"], "", ""),
            (&["__Secure-better-auth.session_data=d"], "", ""),
            (&["better-auth.session_data"], "", ""),
            // No base64, in one of the parts.
            (&["better-auth.session_data=abc!"], "", ""),
            (
                &["better-auth.session_data=abcd.e.abcd; better-auth.dont_remember=x"],
                "",
                "better-auth.dont_remember=x",
            ),
            (&[], "", ""),
        ] {
            let found = plain().read(&headers(lines));
            assert_eq!((found.cache_line.as_str(), found.other_line.as_str()), (cache, other), "{lines:?}");
        }
    }

    /// The upstream joins chunks across a gap, and prefers a whole cookie to chunks. A tossed cookie could be such a one.
    #[test]
    fn cookie_cache_that_is_sent_is_the_one_that_was_checked() {
        for (line, sent) in [
            (
                "better-auth.session_data.0=abcd; better-auth.session_data.2=abc!",
                "better-auth.session_data.0=abcd",
            ),
            (
                "better-auth.session_data.0=abcd; better-auth.session_data.1=; better-auth.session_data.2=abc!",
                "better-auth.session_data.0=abcd",
            ),
            (
                "better-auth.session_data=; better-auth.session_data=abc!; better-auth.session_data.0=abcd",
                "better-auth.session_data.0=abcd",
            ),
            (
                "better-auth.session_data=abc!; better-auth.session_data.0=abcd.abcd.abcd",
                "better-auth.session_data.0=abcd.abcd.abcd",
            ),
            (
                "better-auth.session_data=abcd; better-auth.session_data.0=abc!",
                "better-auth.session_data=abcd",
            ),
            (
                "better-auth.session_data.1=abcd; better-auth.session_data.0=abcd; better-auth.session_data.0=abc!",
                "better-auth.session_data.0=abcd; better-auth.session_data.1=abcd",
            ),
        ] {
            assert_eq!(plain().read(&headers(&[line])).cache_line.as_str(), sent, "{line}");
        }
    }

    #[test]
    fn cookie_of_a_browser_over_http_gets_its_prefix_back() {
        let renamed =
            companions("better_auth", "http://localhost:3000", "__Secure-better-auth.session_token");
        let headers = headers(&["_Secure-better-auth.session_data.0=abcd"]);
        let found = renamed.read(&headers);
        assert_eq!(found.cache_line.as_str(), "__Secure-better-auth.session_data.0=abcd");
        assert_eq!(found.cache.unwrap().as_str(), "abcd");
    }

    #[test]
    fn cookie_cache_is_decoded_and_joined() {
        for (line, cache) in [
            ("better-auth.session_data=a%3D", Some("a=")),
            ("better-auth.session_data.1=b; better-auth.session_data.0=a", Some("ab")),
            ("better-auth.session_data=whole; better-auth.session_data.0=a", Some("whole")),
            ("better-auth.session_data=", None),
            ("better-auth.dont_remember=x", None),
        ] {
            assert_eq!(plain().cache(&headers(&[line])).as_deref().map(String::as_str), cache, "{line}");
        }
    }

    #[test]
    fn upstream_without_companions_gets_none() {
        let none = companions("authjs", "https://app.example.com", "authjs.session-token");
        let headers = headers(&["better-auth.session_data=d; authjs.session-token=t"]);
        let found = none.read(&headers);
        assert!(found.cache_line.is_empty() && found.other_line.is_empty() && found.cache.is_none());
    }
}
