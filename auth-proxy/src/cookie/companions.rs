//! The cookies beside the session cookie that belong to the same session.

use auth_proxy_rules::{CompanionRole, Settings};
use http::HeaderMap;
use zeroize::Zeroizing;

use super::percent::decode_or_keep;
use super::scan::{Chosen, scan};
use super::shape::is_base64url;

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

    /// The cookies that a lookup sends beside the cookie cache, as `name=value; name=value` with the names of the
    /// upstream. Of two cookies of one name the first counts, as for the session cookie.
    fn others(&self, headers: &HeaderMap) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::new());
        for companion in self.0.iter().filter(|companion| companion.role == CompanionRole::Sent) {
            let found = scan(headers, &[companion.browser.as_str()]).ok();
            if let Some(Chosen::Whole(value)) = found.and_then(|[found]| found.choose(true)) {
                append(&mut text, &companion.upstream, value.text());
            }
        }
        text
    }

    /// The cookie cache as a `Cookie` line with the names of the upstream, and its value, decoded and joined. `None` if
    /// there is none.
    ///
    /// The line has only the cookies that the value was read from. The upstream would join chunks beyond a gap, and would
    /// prefer a whole cookie to chunks.
    fn cache(&self, headers: &HeaderMap) -> Option<(Zeroizing<String>, Zeroizing<String>)> {
        let companion = self.0.iter().find(|companion| companion.role == CompanionRole::Cache)?;
        let [found] = scan(headers, &[companion.browser.as_str()]).ok()?;
        let mut line = Zeroizing::new(String::new());
        let value = match found.choose(false)? {
            Chosen::Whole(value) => {
                append(&mut line, &companion.upstream, value.text());
                decode_or_keep(value.text()).into_owned()
            }
            Chosen::Chunks(chunks) => {
                for (n, chunk) in chunks.chunks().enumerate() {
                    append(&mut line, &format!("{}.{n}", companion.upstream), chunk.text());
                }
                chunks.joined_chunks()
            }
        };
        Some((line, Zeroizing::new(value)))
    }

    /// The name of the cookie cache in the browser. `None` if the upstream has none.
    pub(crate) fn cache_name(&self) -> Option<&str> {
        let cache = self.0.iter().find(|companion| companion.role == CompanionRole::Cache)?;
        Some(&cache.browser)
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
        let is_base64 = |value: &str| value.split('.').all(|part| is_base64url(part.as_bytes()));
        let cache = self.cache(headers).filter(|(_, value)| is_base64(value));
        let (cache_line, cache) = cache.map_or_else(Default::default, |(line, value)| (line, Some(value)));
        CompanionCookies { cache_line, other_line: self.others(headers), cache }
    }
}

fn append(line: &mut Zeroizing<String>, name: &str, value: &str) {
    let separator = if line.is_empty() { "" } else { "; " };
    line.extend([separator, name, "=", value]);
}

#[cfg(test)]
mod tests {
    use auth_proxy_rules::{Draft, OptionKey};
    use http::header::COOKIE;
    use proptest::strategy::Strategy as _;

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

    /// The cookie cache as Better Auth reads it (`docs/better-auth.md#cookie-names`).
    fn read_by_upstream(line: &str) -> String {
        let named = |wanted: &str| {
            let mut pairs = line.split("; ").filter_map(|pair| pair.split_once('='));
            pairs.find(|(name, _)| *name == wanted).map(|(_, value)| decode_or_keep(value).into_owned())
        };
        let whole = named("better-auth.session_data").filter(|value| !value.is_empty());
        whole.unwrap_or_else(|| {
            (0..100).filter_map(|n| named(&format!("better-auth.session_data.{n}"))).collect()
        })
    }

    proptest::proptest! {
        #[test]
        fn any_cookie_line_is_read_as_the_upstream_reads_what_is_sent(
            pairs in proptest::collection::vec((
                proptest::sample::select(vec![
                    "better-auth.session_data", "better-auth.session_data.0", "better-auth.session_data.1",
                    "better-auth.session_data.2", "better-auth.session_data.63", "better-auth.session_data.64",
                    "better-auth.session_data.00", "better-auth.dont_remember", "better-auth.dont_remember.0",
                    "__Secure-better-auth.session_data", " better-auth.session_data ", "",
                ]),
                proptest::prop_oneof![
                    proptest::sample::select(vec![
                        &b""[..], b"abcd", b"abc!", b"abcd.abcd.abcd", b"%61bcd", b"ab%", b"\"abcd\"", b"=", b"ab\xff",
                    ]).prop_map(<[u8]>::to_vec),
                    proptest::collection::vec(0x20..=0xff_u8, 0..6),
                ],
            ), 0..8),
        ) {
            let line: Vec<u8> =
                pairs.iter().map(|(name, value)| [name.as_bytes(), b"=", value].concat()).collect::<Vec<_>>().join(&b"; "[..]);
            if let Ok(line) = http::HeaderValue::from_bytes(&line) {
                let found = plain().read(&std::iter::once((COOKIE, line)).collect());
                let value = found.cache.as_deref().map_or("", String::as_str);
                proptest::prop_assert_eq!(read_by_upstream(&found.cache_line), value);
                proptest::prop_assert!(value.split('.').all(|part| is_base64url(part.as_bytes())));
                proptest::prop_assert!(found.other_line.split("; ").count() <= 1);
            }
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
            let found = plain().cache(&headers(&[line])).map(|(_, value)| value.to_string());
            assert_eq!(found.as_deref(), cache, "{line}");
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
