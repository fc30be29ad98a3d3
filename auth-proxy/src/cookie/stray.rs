//! Removes stray cookies: their name begins with the session cookie's, but they are no part of the session token.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

use super::scan::{Chosen, chunk_number, scan};
use super::text::{pairs, split};

/// Removes every cookie that Auth.js would join to the session token although it is no part of it.
///
/// Auth.js joins all cookies whose name *starts with* the session cookie's (`docs/authjs.md#chunk-read`), so it would
/// read another token than this app reads. All other cookies stay as they are, byte for byte.
pub(crate) fn drop_stray_cookies(headers: &mut HeaderMap, name: &str, opaque: bool) {
    let has_name = |pair: &[u8]| split(pair, b'=').0.trim_ascii().starts_with(name.as_bytes());
    if !all_pairs(headers).any(has_name) {
        return;
    }
    let Ok([found]) = scan(headers, &[name]) else { return };
    let chunks = found.chunks().count();
    let filter = Filter {
        name: name.as_bytes(),
        token: match found.choose(opaque) {
            Some(Chosen::Whole(_)) => Token::Whole,
            Some(Chosen::Chunks(_)) => Token::Chunks(chunks),
            None => Token::None,
        },
        seen: Vec::new(),
    };
    let mut dry = filter.clone();
    if !all_pairs(headers).all(|pair| dry.keeps(pair)) {
        let mut filter = filter;
        retain_cookies(headers, |pair| filter.keeps(pair));
    }
}

/// Removes the cookies of these names, whole and in chunks.
pub(crate) fn drop_cookies(headers: &mut HeaderMap, names: &[&str]) {
    retain_cookies(headers, |pair| {
        let key = split(pair, b'=').0.trim_ascii();
        let is_named = |name: &str| {
            let suffix = key.strip_prefix(name.as_bytes());
            suffix.is_some_and(|suffix| suffix.is_empty() || chunk_number(suffix).is_some())
        };
        !names.iter().any(|name| is_named(name))
    });
}

/// The pairs of all `Cookie` lines.
fn all_pairs(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    headers.get_all(COOKIE).iter().flat_map(|line| pairs(line.as_bytes()))
}

/// Keeps the cookies that `keeps` is true for, byte for byte.
fn retain_cookies(headers: &mut HeaderMap, mut keeps: impl FnMut(&[u8]) -> bool) {
    let lines: Vec<_> = headers.get_all(COOKIE).iter().cloned().collect();
    let mut kept = Vec::with_capacity(lines.len());
    let mut is_changed = false;
    for line in lines {
        let all = pairs(line.as_bytes()).count();
        let parts: Vec<&[u8]> = pairs(line.as_bytes()).filter(|pair| keeps(pair)).collect();
        if parts.len() == all {
            kept.push(line);
            continue;
        }
        is_changed = true;
        let joined = parts.join(&b';');
        if let Ok(mut value) = HeaderValue::from_bytes(joined.trim_ascii())
            && !value.is_empty()
        {
            value.set_sensitive(line.is_sensitive());
            kept.push(value);
        }
    }
    if is_changed {
        headers.remove(COOKIE);
        for line in kept {
            headers.append(COOKIE, line);
        }
    }
}

/// Which cookies hold the session token.
#[derive(Clone, Copy)]
enum Token {
    None,
    Whole,
    /// This many chunks, from `.0` on.
    Chunks(usize),
}

/// What follows the session cookie's name in the name of a cookie.
#[derive(Clone, PartialEq)]
enum Part {
    Whole,
    Chunk(usize),
    /// Text that is not a chunk number.
    Other,
}

#[derive(Clone)]
struct Filter<'n> {
    name: &'n [u8],
    token: Token,
    seen: Vec<Part>,
}

impl Filter<'_> {
    /// Whether a cookie stays: it has an unrelated name, or it is the first cookie with this part of the token.
    fn keeps(&mut self, pair: &[u8]) -> bool {
        let (key, value) = split(pair, b'=');
        let Some(suffix) = key.trim_ascii().strip_prefix(self.name) else { return true };
        let part = match chunk_number(suffix) {
            _ if suffix.is_empty() => Part::Whole,
            Some(number) => Part::Chunk(number),
            None => Part::Other,
        };
        let is_of_token = match (&self.token, &part) {
            (Token::Whole, Part::Whole) => true,
            (Token::Chunks(count), Part::Chunk(number)) => number < count,
            _ => false,
        };
        // `scan` ignores a pair that has no value, or a value that is not UTF-8. Such a pair is dropped, and does not
        // count as the first cookie of its name.
        if value.is_none_or(|value| std::str::from_utf8(value).is_err()) {
            return false;
        }
        let is_first = !self.seen.contains(&part);
        self.seen.push(part);
        is_of_token && is_first
    }
}
