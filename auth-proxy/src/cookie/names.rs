//! The possible names of the session cookie, and which of them the upstream uses.

use std::sync::atomic::{AtomicU8, Ordering};

use auth_proxy_rules::{CookieNames, Settings};
use http::HeaderMap;
use http::header::SET_COOKIE;

use super::candidate::Candidate;
use super::companions::Companions;
use super::error::CredentialError;
use super::set_cookie::{SetCookieKind, set_cookie_kind};
use super::text::SetCookie;

/// The possible names of the session cookie of one upstream, and which of them the upstream was seen to use.
///
/// Auth.js prefixes the name with `__Secure-` if it believes that it is reached over https
/// (`docs/authjs.md#cookie-names`). Robo never does (`docs/authjs.md#cookie-names-robo`). If the configuration does not
/// decide, both names count, the prefixed one first, because no page over http can set it. After the upstream has set a
/// cookie with the prefixed name, only that name counts.
pub(crate) struct SessionNames {
    /// The name with the prefix comes first.
    all: Vec<SessionName>,
    by_scheme: bool,
    /// Whether the scheme of a request, as a trusted proxy reports it, decides between the names.
    scheme_counts: bool,
    used: AtomicU8,
    /// If the scheme counts: which name the upstream uses over https. `used` is then the name over http. A client
    /// chooses the scheme of its own requests, so what it shows over http must not decide over https.
    used_over_https: AtomicU8,
}

/// A name of the session cookie.
pub(crate) struct SessionName {
    /// The index of this name in [`SessionNames::all`], and of its decoder.
    pub(crate) index: usize,
    /// The name at the upstream. It is also the salt of the key.
    pub(crate) upstream: String,
    /// The name in the browser: the same, or without an underscore of the prefix.
    pub(crate) browser: String,
    /// The cookies that belong to it.
    pub(crate) companions: Companions,
}

impl SessionName {
    /// The names in the browser: of the session cookie, and of the cookies that belong to it.
    pub(crate) fn in_browser(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.browser.as_str()).chain(self.companions.names())
    }
}

impl AsRef<str> for SessionName {
    fn as_ref(&self) -> &str {
        &self.browser
    }
}

/// The names that the session cookie of one request may have, the likelier first.
#[derive(Clone, Copy)]
pub(crate) struct NamesInPlay<'n> {
    names: [Option<&'n SessionName>; 2],
    /// Whether the scheme of the request decides which cookie name counts, and the scheme is not known. Two tokens in
    /// one request are then ambiguous.
    is_scheme_unknown: bool,
}

impl<'n> NamesInPlay<'n> {
    /// Finds the session token of a request under these names.
    ///
    /// # Errors
    /// As [`Candidate::of`].
    pub(crate) fn find<'h>(
        self,
        headers: &'h HeaderMap,
        opaque: bool,
    ) -> Result<Option<Candidate<'h>>, CredentialError> {
        match self.names {
            [Some(first), Some(second)] => Candidate::of(headers, &[first, second], opaque),
            [Some(only), None] | [None, Some(only)] => Candidate::of(headers, &[only], opaque),
            [None, None] => Candidate::of::<&str, 0>(headers, &[], opaque),
        }
    }

    /// Whether the scheme decides between the names, but is not known.
    pub(crate) fn is_scheme_unknown(&self) -> bool {
        self.is_scheme_unknown
    }

    /// The names, the likelier first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &'n SessionName> + use<'n> {
        self.names.into_iter().flatten()
    }

    /// The indexes of these names, for [`SessionNames::at`].
    pub(crate) fn indexes(&self) -> NameIndexes {
        NameIndexes {
            indexes: self.names.map(|name| name.map(|name| name.index)),
            is_scheme_unknown: self.is_scheme_unknown,
        }
    }

    /// The name at this position in [`iter`](Self::iter).
    pub(crate) fn get(&self, at: usize) -> Option<&'n SessionName> {
        self.iter().nth(at)
    }
}

/// The indexes of [`NamesInPlay`], which borrow nothing.
#[derive(Clone, Copy)]
pub(crate) struct NameIndexes {
    indexes: [Option<usize>; 2],
    is_scheme_unknown: bool,
}

const UNSEEN: u8 = 0;
const SECURE: u8 = 1;
const PLAIN: u8 = 2;

impl SessionNames {
    pub(crate) fn new(settings: &Settings) -> Self {
        let name = |(index, name): (usize, &str)| SessionName {
            index,
            upstream: name.to_owned(),
            browser: settings.browser_name(name).to_owned(),
            companions: Companions::of(settings, name),
        };
        Self {
            all: settings.cookie_names.all().enumerate().map(name).collect(),
            by_scheme: matches!(settings.cookie_names, CookieNames::ByScheme(..)),
            scheme_counts: !settings.trusted_proxies.is_empty() && settings.public_url.is_none(),
            used: AtomicU8::new(UNSEEN),
            used_over_https: AtomicU8::new(UNSEEN),
        }
    }

    /// Every name.
    pub(crate) fn all(&self) -> &[SessionName] {
        &self.all
    }

    /// Whether the scheme of a request decides which cookie name counts.
    pub(crate) fn depend_on_scheme(&self) -> bool {
        self.all.len() > 1
    }

    /// The names that count for one request. `https` is its scheme, or `None` if no trusted proxy reports the scheme.
    pub(crate) fn in_play(&self, https: Option<bool>) -> NamesInPlay<'_> {
        let (secure, plain) = (self.all.first(), self.all.get(1));
        let names = match (https, self.used(https == Some(true)).load(Ordering::Relaxed)) {
            _ if plain.is_none() => [secure, None],
            // Over http, a browser sends no cookie with the prefix, and an upstream that is told the scheme sets none.
            (Some(false), _) => [plain, None],
            (Some(true), _) if self.by_scheme => [secure, None],
            // The scheme decides, but is not known.
            (None, _) if self.scheme_counts => [secure, plain],
            (_, SECURE) => [secure, None],
            (_, PLAIN) => [plain, secure],
            _ => [secure, plain],
        };
        let is_scheme_unknown = self.scheme_counts && https.is_none() && names.iter().flatten().count() > 1;
        NamesInPlay { names, is_scheme_unknown }
    }

    /// The names with these indexes.
    pub(crate) fn at(&self, indexes: NameIndexes) -> NamesInPlay<'_> {
        let names = indexes.indexes.map(|index| index.and_then(|index| self.all.get(index)));
        NamesInPlay { names, is_scheme_unknown: indexes.is_scheme_unknown }
    }

    /// Whether the upstream's cookies show that it uses the other name, not the one with this index. An upstream that
    /// chooses the name by the scheme of each request uses both, so neither is foreign.
    pub(crate) fn is_foreign(&self, index: usize) -> bool {
        self.all.len() > 1
            && !self.scheme_counts
            && match self.used.load(Ordering::Relaxed) {
                SECURE => index != 0,
                PLAIN => index == 0,
                _ => false,
            }
    }

    /// Whether a `Set-Cookie` sets or clears the session cookie, under any of its names.
    pub(crate) fn set_cookie_kind(&self, set_cookie: &[u8]) -> Option<SetCookieKind> {
        self.all.iter().find_map(|name| set_cookie_kind(set_cookie, &name.browser))
    }

    /// Whether a `Set-Cookie` sets or clears the session cookie, or a cookie that belongs to it.
    pub(crate) fn family_cookie_kind(&self, set_cookie: &[u8]) -> Option<SetCookieKind> {
        let mut companions = self.all.iter().flat_map(|name| name.companions.names());
        self.set_cookie_kind(set_cookie)
            .or_else(|| companions.find_map(|name| set_cookie_kind(set_cookie, name)))
    }

    /// The name of a cookie that the upstream sets, if it is a session cookie that is not read here: its name ends as
    /// ours does, and begins otherwise. The lines must have the upstream's names.
    pub(crate) fn other_name_set(&self, headers: &HeaderMap) -> Option<String> {
        let (_, ending) = self.all.first()?.upstream.rsplit_once('.')?;
        let is_own =
            |cookie: &[u8]| self.all.iter().any(|name| set_cookie_kind(cookie, &name.upstream).is_some());
        headers.get_all(SET_COOKIE).iter().find_map(|cookie| {
            let cookie = cookie.as_bytes();
            let name = SetCookie::of(cookie).name_and_value()?.0;
            let name = std::str::from_utf8(name).ok()?;
            let is_other = name.rsplit_once('.').is_some_and(|(_, end)| end == ending) && !is_own(cookie);
            let sets = set_cookie_kind(cookie, name) == Some(SetCookieKind::Sets);
            (is_other && sets).then(|| name.to_owned())
        })
    }

    /// The name that the upstream uses for requests of this scheme.
    fn used(&self, https: bool) -> &AtomicU8 {
        if self.scheme_counts && https { &self.used_over_https } else { &self.used }
    }

    /// Learns from the upstream's `Set-Cookie` lines which name it uses. The lines must have the browser's names
    /// already. `https` is the scheme that the upstream was told.
    pub(crate) fn learn(&self, headers: &HeaderMap, https: bool) {
        let used = self.used(https);
        if self.all.len() < 2 || used.load(Ordering::Relaxed) == SECURE {
            return;
        }
        for cookie in headers.get_all(SET_COOKIE) {
            let named = |name: &&SessionName| {
                set_cookie_kind(cookie.as_bytes(), &name.browser) == Some(SetCookieKind::Sets)
            };
            match self.all.iter().find(named).map(|name| name.index) {
                Some(0) => used.store(SECURE, Ordering::Relaxed),
                // Once the prefixed name was seen, a cookie without the prefix does not change the choice.
                Some(_) => {
                    let _ = used.compare_exchange(UNSEEN, PLAIN, Ordering::Relaxed, Ordering::Relaxed);
                }
                None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
