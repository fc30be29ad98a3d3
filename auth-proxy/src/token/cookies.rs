use std::borrow::Cow;
use std::fmt;

use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE};
use memchr::memchr;
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use super::error::TokenError;

/// Bytes of all `Cookie` lines together. Node refuses heads over 16 KiB, so no upstream that is
/// known ever sees as much.
const COOKIE_LIMIT: usize = 64 * 1024;

/// Chunks of one token. With the 3936 bytes that Auth.js puts into each, more than fit the limit.
const CHUNK_LIMIT: usize = 64;

/// The session token that a request carries.
pub(crate) struct Credential {
    bearer: bool,
    first: Zeroizing<String>,
    /// Where a plain cookie and chunks both look like a token: one of them is stale.
    second: Option<Zeroizing<String>>,
}

impl Credential {
    /// The values that could be the token, the likelier first.
    pub(crate) fn candidates(&self) -> impl Iterator<Item = &str> {
        [Some(&self.first), self.second.as_ref()].into_iter().flatten().map(|value| value.as_str())
    }

    /// Whether it came in an `Authorization` header.
    pub(crate) fn is_bearer(&self) -> bool {
        self.bearer
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("bearer", &self.bearer).finish_non_exhaustive()
    }
}

/// Finds the session token: in the cookie of exactly this name, else in its chunks `.0 .. .n`, else
/// in a Bearer header (`core/jwt.ts:144-198`). An invalid cookie is not rescued by a Bearer header.
///
/// Auth.js joins every cookie whose name *starts with* the session cookie's
/// (`core/lib/utils/cookie.ts:154-177`), so that a stale chunk or a sibling signs the visitor out;
/// here neither counts. An `opaque` token, of a database session, is never chunked.
pub(crate) fn read(headers: &HeaderMap, name: &str, opaque: bool) -> Result<Option<Credential>, TokenError> {
    let found = scan(headers, name)?;
    let plain = found.plain.filter(|value| !value.is_empty()).map(decode);
    let chunks = if opaque { None } else { found.joined_chunks() };
    let (first, second) = match (plain, chunks) {
        (None, None) => return bearer(headers),
        (Some(value), None) | (None, Some(value)) => (value, None),
        (Some(plain), Some(chunks)) => match (has_token_shape(&plain), has_token_shape(&chunks)) {
            (true, true) => (plain, Some(chunks)),
            (false, true) => (chunks, None),
            (_, false) => (plain, None),
        },
    };
    Ok(Some(Credential { bearer: false, first, second }))
}

/// The token of a request as it was sent, where there is no doubt what it is.
pub(super) enum Sent<'h> {
    /// The whole token, in a cookie.
    Whole(&'h str),
    /// The bytes of a Bearer token, or of chunks, which are told apart by what no cookie holds.
    Other(Cow<'h, [u8]>),
}

impl<'h> Sent<'h> {
    /// Finds it, and decodes nothing.
    pub(super) fn of(headers: &'h HeaderMap, name: &str) -> Option<Self> {
        let found = scan(headers, name).ok()?;
        match (found.plain.filter(|value| !value.is_empty()), found.chunks().next().is_some()) {
            (Some(_), true) => None,
            (Some(plain), false) => Some(Self::Whole(plain)),
            (None, true) => {
                Some(Self::Other(Cow::Owned(found.chunks().collect::<Vec<_>>().join(";").into_bytes())))
            }
            (None, false) => {
                let bearer = headers.get(AUTHORIZATION)?.as_bytes().strip_prefix(b"Bearer ")?;
                Some(Self::Other(Cow::Borrowed(bearer)))
            }
        }
    }

    /// What the token is known by.
    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Whole(value) => value.as_bytes(),
            Self::Other(bytes) => bytes,
        }
    }

    /// The token, where it came in one piece.
    pub(super) fn whole(&self) -> Option<Cow<'h, str>> {
        match self {
            Self::Whole(value) => Some(percent_decode(value).unwrap_or(Cow::Borrowed(value))),
            Self::Other(_) => None,
        }
    }
}

struct Found<'h> {
    plain: Option<&'h str>,
    /// Most tokens come in one piece.
    chunks: Option<Box<[Option<&'h str>; CHUNK_LIMIT]>>,
}

/// One pass over all `Cookie` lines. The first cookie of a name wins: browsers send the more
/// specific path first (RFC 6265, section 5.4), and Auth.js's parser keeps it too.
fn scan<'h>(headers: &'h HeaderMap, name: &str) -> Result<Found<'h>, TokenError> {
    let mut found = Found { plain: None, chunks: None };
    let mut total = 0;
    for line in headers.get_all(COOKIE) {
        total += line.len();
        if total > COOKIE_LIMIT {
            return Err(TokenError::TooLarge);
        }
        let mut rest = Some(line.as_bytes());
        while let Some(line) = rest {
            let (pair, after) = split(line, b';');
            rest = after;
            let Some(pair) = pair.trim_ascii_start().strip_prefix(name.as_bytes()) else { continue };
            // The name ends here, or goes on with the number of a chunk.
            let (suffix, Some(value)) = split(pair, b'=') else { continue };
            let Ok(value) = std::str::from_utf8(value.trim_ascii()) else { continue };
            let place = match suffix.trim_ascii_end() {
                b"" => Some(&mut found.plain),
                suffix => chunk_number(suffix).and_then(|n| {
                    found.chunks.get_or_insert_with(|| Box::new([None; CHUNK_LIMIT])).get_mut(n)
                }),
            };
            if let Some(place @ None) = place {
                *place = Some(value);
            }
        }
    }
    Ok(found)
}

/// What stands before the first of these bytes, and what after it.
fn split(text: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    match memchr(at, text).and_then(|found| text.split_at_checked(found)) {
        Some((before, after)) => (before, after.get(1..)),
        None => (text, None),
    }
}

/// The number of the chunk `.7`; none of `.07`, `.`, `.7x`.
pub(super) fn chunk_number(suffix: &[u8]) -> Option<usize> {
    let digits = suffix.strip_prefix(b".")?;
    let canonical = digits == b"0" || !digits.starts_with(b"0");
    if !canonical || digits.is_empty() || digits.len() > 2 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (number < CHUNK_LIMIT).then_some(number)
}

impl Found<'_> {
    /// The chunks from `.0` to the first gap.
    fn chunks(&self) -> impl Iterator<Item = &str> {
        let all = self.chunks.iter().flat_map(|chunks| chunks.iter());
        all.map_while(|chunk| chunk.filter(|value| !value.is_empty()))
    }

    /// The chunks, decoded and joined.
    fn joined_chunks(&self) -> Option<Zeroizing<String>> {
        let mut joined = Zeroizing::new(String::with_capacity(self.chunks().map(str::len).sum()));
        for chunk in self.chunks() {
            joined.push_str(&decode(chunk));
        }
        if joined.is_empty() { None } else { Some(joined) }
    }
}

/// `decodeURIComponent`, and the value as it is when that fails (`core/lib/vendored/cookie.ts`).
fn decode(value: &str) -> Zeroizing<String> {
    Zeroizing::new(percent_decode(value).unwrap_or(Cow::Borrowed(value)).into_owned())
}

/// Strict, as `decodeURIComponent`: `None` for a broken escape or for bytes that are not UTF-8.
fn percent_decode(value: &str) -> Option<Cow<'_, str>> {
    if memchr(b'%', value.as_bytes()).is_none() {
        return Some(Cow::Borrowed(value));
    }
    let mut rest = value;
    while let Some((_, after)) = rest.split_once('%') {
        let digits = after.as_bytes().get(..2)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        rest = after.get(2..)?;
    }
    percent_decode_str(value).decode_utf8().ok()
}

/// Five parts for a JWE, three for a JWS.
fn has_token_shape(value: &str) -> bool {
    matches!(value.bytes().filter(|byte| *byte == b'.').count(), 2 | 4)
}

/// `Bearer`, spelled just so, one space, and one percent-encoded value (`core/jwt.ts:168-176`).
fn bearer(headers: &HeaderMap) -> Result<Option<Credential>, TokenError> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let value = match value.as_bytes().strip_prefix(b"Bearer") {
        Some([]) => return Err(TokenError::BearerMalformed),
        Some([b' ', value @ ..]) => value,
        Some(_) | None => return Ok(None),
    };
    if value.len() > COOKIE_LIMIT {
        return Err(TokenError::TooLarge);
    }
    let value = std::str::from_utf8(value.trim_ascii_end()).map_err(|_| TokenError::BearerMalformed)?;
    if value.is_empty() || value.contains([' ', '\t']) {
        return Err(TokenError::BearerMalformed);
    }
    let value = percent_decode(value).ok_or(TokenError::BearerMalformed)?;
    Ok(Some(Credential { bearer: true, first: Zeroizing::new(value.into_owned()), second: None }))
}

#[cfg(test)]
mod tests;
