//! The names that the session cookie may have.

use std::sync::atomic::{AtomicU8, Ordering};

use auth_proxy_rules::{CookieNames, Settings};
use http::HeaderMap;
use http::header::SET_COOKIE;

use super::set_cookie::{SetCookieKind, is_session_cookie};

/// The names that the session cookie of one upstream may have, and which of them it was seen to use.
///
/// Auth.js prefixes the name with `__Secure-` where it takes itself to be asked over https
/// (`docs/authjs.md#cookie-names`), Robo never does. Where configuration does not tell, both names count, the one with
/// the prefix first: no page over http, and no other host without https, can set it. Once the upstream was seen to use
/// it, it counts alone.
pub(crate) struct SessionNames {
    /// The one with the prefix first.
    all: Vec<SessionName>,
    by_scheme: bool,
    /// Whether the scheme of a request, told by a trusted proxy, decides between the names.
    scheme_counts: bool,
    used: AtomicU8,
}

/// A name of the session cookie.
pub(crate) struct SessionName {
    /// Its place among the names, and that of its key among the decoders.
    pub(crate) place: usize,
    /// At the upstream: also the salt of the key.
    pub(crate) upstream: String,
    /// At the browser: the same, unless its prefix is taken off.
    pub(crate) browser: String,
}

impl AsRef<str> for SessionName {
    fn as_ref(&self) -> &str {
        &self.browser
    }
}

/// The names that count for one request, the likelier first.
#[derive(Clone, Copy)]
pub(crate) struct NamesInPlay<'n> {
    names: [Option<&'n SessionName>; 2],
    /// Whether the scheme decides between them and is not known. Two tokens in one request are ambiguous then.
    is_unsure: bool,
}

impl<'n> NamesInPlay<'n> {
    /// Whether only one of the names may have been sent.
    pub(crate) fn is_unsure(&self) -> bool {
        self.is_unsure
    }

    /// The names, the likelier first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &'n SessionName> + use<'n> {
        self.names.into_iter().flatten()
    }

    /// The same, by which [`SessionNames::at`] finds them again.
    pub(crate) fn places(&self) -> Places {
        Places { places: self.names.map(|name| name.map(|name| name.place)), is_unsure: self.is_unsure }
    }

    /// The name at this place.
    pub(crate) fn get(&self, at: usize) -> Option<&'n SessionName> {
        self.iter().nth(at)
    }
}

/// The names that count for one request, to be kept.
#[derive(Clone, Copy)]
pub(crate) struct Places {
    places: [Option<usize>; 2],
    is_unsure: bool,
}

const UNSEEN: u8 = 0;
const SECURE: u8 = 1;
const PLAIN: u8 = 2;

impl SessionNames {
    pub(crate) fn new(settings: &Settings) -> Self {
        let name = |(place, name): (usize, &str)| SessionName {
            place,
            upstream: name.to_owned(),
            browser: settings.browser_name(name).to_owned(),
        };
        Self {
            all: settings.cookie_names.all().enumerate().map(name).collect(),
            by_scheme: matches!(settings.cookie_names, CookieNames::ByScheme(..)),
            scheme_counts: !settings.trusted_proxies.is_empty() && settings.public_url.is_none(),
            used: AtomicU8::new(UNSEEN),
        }
    }

    /// Every name.
    pub(crate) fn all(&self) -> &[SessionName] {
        &self.all
    }

    /// Whether the scheme of a request decides between the names.
    pub(crate) fn depend_on_scheme(&self) -> bool {
        self.all.len() > 1
    }

    /// The names that count for a request over this scheme, where a trusted proxy tells it.
    pub(crate) fn in_play(&self, https: Option<bool>) -> NamesInPlay<'_> {
        let (secure, plain) = (self.all.first(), self.all.get(1));
        let names = match (https, self.used.load(Ordering::Relaxed)) {
            _ if plain.is_none() => [secure, None],
            // A browser sends no cookie with the prefix over http, and the upstream, told the scheme, sets none.
            (Some(false), _) => [plain, None],
            (Some(true), _) if self.by_scheme => [secure, None],
            // The scheme would decide.
            (None, _) if self.scheme_counts => [secure, plain],
            (_, SECURE) => [secure, None],
            (_, PLAIN) => [plain, secure],
            _ => [secure, plain],
        };
        let is_unsure = self.scheme_counts && https.is_none() && names.iter().flatten().count() > 1;
        NamesInPlay { names, is_unsure }
    }

    /// The names at these places.
    pub(crate) fn at(&self, places: Places) -> NamesInPlay<'_> {
        let names = places.places.map(|place| place.and_then(|place| self.all.get(place)));
        NamesInPlay { names, is_unsure: places.is_unsure }
    }

    /// Whether the upstream was seen to use another name than the one at this place, and never this. An upstream that goes
    /// by the scheme of each request uses both, and none is foreign.
    pub(crate) fn is_foreign(&self, place: usize) -> bool {
        self.all.len() > 1
            && !self.scheme_counts
            && match self.used.load(Ordering::Relaxed) {
                SECURE => place != 0,
                PLAIN => place == 0,
                _ => false,
            }
    }

    /// Whether a `Set-Cookie` concerns the session cookie under any of its names, and how.
    pub(crate) fn concern(&self, set_cookie: &[u8]) -> Option<SetCookieKind> {
        self.all.iter().find_map(|name| is_session_cookie(set_cookie, &name.browser))
    }

    /// Learns which name the upstream uses from its `Set-Cookie` lines, which have the names of the browser.
    pub(crate) fn learn(&self, headers: &HeaderMap) {
        if self.all.len() < 2 || self.used.load(Ordering::Relaxed) == SECURE {
            return;
        }
        for cookie in headers.get_all(SET_COOKIE) {
            let named = |name: &&SessionName| {
                is_session_cookie(cookie.as_bytes(), &name.browser) == Some(SetCookieKind::Sets)
            };
            match self.all.iter().find(named).map(|name| name.place) {
                Some(0) => self.used.store(SECURE, Ordering::Relaxed),
                // Once the prefixed name was seen, a cookie without the prefix does not change the choice.
                Some(_) => {
                    let _ = self.used.compare_exchange(UNSEEN, PLAIN, Ordering::Relaxed, Ordering::Relaxed);
                }
                None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use auth_proxy_rules::{Draft, OptionKey};

    use super::*;

    fn names(values: &[(OptionKey, &str)]) -> SessionNames {
        let mut draft = Draft::default();
        for (option, text) in values.iter().chain(&[(OptionKey::BaseUrl, "http://auth.internal")]) {
            draft.set(*option, text).unwrap();
        }
        SessionNames::new(&draft.resolve().unwrap())
    }

    fn in_play(names: &SessionNames, https: Option<bool>) -> Vec<&str> {
        names.in_play(https).iter().map(|name| name.browser.as_str()).collect()
    }

    fn set(names: &SessionNames, cookie: &'static str) {
        names.learn(&[(SET_COOKIE, http::HeaderValue::from_static(cookie))].into_iter().collect());
    }

    const SECURE_NAME: &str = "__Secure-authjs.session-token";
    const PLAIN_NAME: &str = "authjs.session-token";

    #[test]
    fn both_names_count_until_the_prefixed_one_was_seen() {
        let names = names(&[]);
        assert_eq!(in_play(&names, None), [SECURE_NAME, PLAIN_NAME]);
        set(&names, "__Secure-authjs.session-token=; Max-Age=0");
        set(&names, "__Secure-authjs.callback-url=x");
        assert_eq!(in_play(&names, None), [SECURE_NAME, PLAIN_NAME]);
        set(&names, "authjs.session-token=x; Path=/");
        assert_eq!(in_play(&names, None), [PLAIN_NAME, SECURE_NAME]);
        set(&names, "__Secure-authjs.session-token.0=x; Path=/");
        assert_eq!(in_play(&names, None), [SECURE_NAME]);
        set(&names, "authjs.session-token=x; Path=/");
        assert_eq!(in_play(&names, None), [SECURE_NAME]);
        // Over http, told by a trusted proxy, only the other can come.
        assert_eq!(in_play(&names, Some(false)), [PLAIN_NAME]);
    }

    #[test]
    fn name_is_foreign_only_to_an_upstream_that_uses_one_name() {
        let one = names(&[]);
        assert!(!one.is_foreign(0) && !one.is_foreign(1));
        set(&one, "__Secure-authjs.session-token=x; Path=/");
        assert!(!one.is_foreign(0) && one.is_foreign(1));

        let by_scheme = names(&[(OptionKey::TrustedProxies, "10.0.0.0/8")]);
        for cookie in ["authjs.session-token=x; Path=/", "__Secure-authjs.session-token=x; Path=/"] {
            set(&by_scheme, cookie);
            assert!(!by_scheme.is_foreign(0) && !by_scheme.is_foreign(1), "{cookie}");
        }
    }

    #[test]
    fn kind_narrows_the_names_and_the_scheme_decides() {
        let proxies = (OptionKey::TrustedProxies, "10.0.0.0/8");
        assert_eq!(in_play(&names(&[(OptionKey::Kind, "robo")]), Some(true)), [PLAIN_NAME]);
        assert_eq!(in_play(&names(&[(OptionKey::Kind, "authjs")]), None), [PLAIN_NAME]);
        let by_scheme = names(&[(OptionKey::Kind, "authjs"), proxies]);
        assert_eq!(in_play(&by_scheme, Some(true)), [SECURE_NAME]);
        assert_eq!(in_play(&by_scheme, Some(false)), [PLAIN_NAME]);
        // Headers alone do not tell the scheme, so both names count.
        assert_eq!(in_play(&by_scheme, None), [SECURE_NAME, PLAIN_NAME]);
        assert!(by_scheme.in_play(None).is_unsure() && !by_scheme.in_play(Some(true)).is_unsure());
        assert!(!names(&[]).in_play(None).is_unsure());
        // Robo uses the same name over both.
        assert_eq!(in_play(&names(&[proxies]), Some(true)), [SECURE_NAME, PLAIN_NAME]);
    }

    #[test]
    fn browser_on_http_has_the_name_without_prefix() {
        let names = names(&[(OptionKey::PublicUrl, "http://app.internal")]);
        assert_eq!(in_play(&names, None), ["_Secure-authjs.session-token", PLAIN_NAME]);
        assert_eq!(names.all()[0].upstream, SECURE_NAME);
    }
}
