//! Parses `Cookie` and `Set-Cookie` lines byte for byte (RFC 6265, sections 4.1.1, 4.2.1 and 5.2).

use http::header::{COOKIE, Entry, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use memchr::memchr;

/// The pairs of a `Cookie` line, each as it was sent, with the spaces around it.
pub(super) fn pairs(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let (pair, after) = split(rest?, b';');
        rest = after;
        Some(pair)
    })
}

/// The text before the first separator, and the text after it.
pub(super) fn split(text: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    match memchr(separator, text).and_then(|found| text.split_at_checked(found)) {
        Some((before, after)) => (before, after.get(1..)),
        None => (text, None),
    }
}

/// A `Set-Cookie` line.
pub(super) struct SetCookie<'c> {
    /// `name=value`, as it was sent.
    pub(super) pair: &'c [u8],
    attributes: Option<&'c [u8]>,
}

/// An attribute of a `Set-Cookie` line.
pub(super) struct Attribute<'c> {
    /// As it was sent, with the spaces around it.
    pub(super) raw: &'c [u8],
    /// Without spaces around it. Upper and lower case are equal.
    pub(super) name: &'c [u8],
    /// Without spaces around it. Empty if there is no `=`.
    pub(super) value: &'c [u8],
}

impl<'c> SetCookie<'c> {
    pub(super) fn of(line: &'c [u8]) -> Self {
        let (pair, attributes) = split(line, b';');
        Self { pair, attributes }
    }

    /// The name and the value, without spaces around them. `None` without a `=`.
    pub(super) fn name_and_value(&self) -> Option<(&'c [u8], &'c [u8])> {
        let (name, value) = split(self.pair, b'=');
        Some((name.trim_ascii(), value?.trim_ascii()))
    }

    pub(super) fn attributes(&self) -> impl Iterator<Item = Attribute<'c>> + use<'c> {
        self.attributes.into_iter().flat_map(pairs).map(|raw| {
            let (name, value) = split(raw, b'=');
            Attribute { raw, name: name.trim_ascii(), value: value.unwrap_or_default().trim_ascii() }
        })
    }
}

/// The value of the first cookie with this name, as it was sent. Not for the session cookie, which may be in chunks.
pub(crate) fn value<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h [u8]> {
    let all = headers.get_all(COOKIE).iter().flat_map(|line| pairs(line.as_bytes()));
    all.map(|pair| split(pair, b'='))
        .find(|(found, _)| found.trim_ascii() == name.as_bytes())
        .and_then(|(_, value)| value.map(<[u8]>::trim_ascii))
}

/// The `Domain` of a `Set-Cookie` line.
pub(crate) fn domain(set_cookie: &HeaderValue) -> Option<&str> {
    let mut attributes = SetCookie::of(set_cookie.as_bytes()).attributes();
    let domain = attributes.find(|attribute| attribute.name.eq_ignore_ascii_case(b"domain"))?;
    std::str::from_utf8(domain.value).ok()
}

/// Joins several `Cookie` lines into one: HTTP/2 may split them, HTTP/1 allows only one (RFC 9113, section 8.2.3).
pub(crate) fn join_cookie_lines(headers: &mut HeaderMap) {
    let mut lines = headers.get_all(COOKIE).iter();
    if lines.next().is_none() || lines.next().is_none() {
        return;
    }
    let joined =
        headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect::<Vec<_>>().join(&b"; "[..]);
    if let Ok(value) = HeaderValue::from_bytes(&joined) {
        headers.insert(COOKIE, value);
    }
}

/// Removes the `Set-Cookie` lines for which `drops` is true, and keeps the others in order.
pub(crate) fn drop_set_cookies(headers: &mut HeaderMap, drops: impl Fn(&[u8]) -> bool) {
    let Entry::Occupied(cookies) = headers.entry(SET_COOKIE) else { return };
    let (_, all) = cookies.remove_entry_mult();
    let kept: Vec<_> = all.filter(|cookie| !drops(cookie.as_bytes())).collect();
    for cookie in kept {
        headers.append(SET_COOKIE, cookie);
    }
}
