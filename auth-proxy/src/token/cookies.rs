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

/// The session token of a request, where it stands in the headers.
///
/// There is one, chosen by the names and the form of what was sent and by nothing else: the session, the claims, the
/// raw token, the policy and the cache are all of this token. What is no good is not rescued by another that was sent
/// beside it.
pub(crate) struct Candidate<'h> {
    sent: Sent<'h>,
    /// Which of the names it came under. A Bearer token has none.
    name: usize,
}

enum Sent<'h> {
    /// In one cookie.
    Whole(&'h str),
    /// In chunks.
    Chunks(Found<'h>),
    /// In the `Authorization` header.
    Bearer(&'h [u8]),
}

impl<'h> Candidate<'h> {
    /// Finds the session token: in the cookie of the first of these names that was sent, whole or in chunks
    /// `.0 .. .n`, else in a Bearer header (`core/jwt.ts:144-198`). An invalid cookie is not rescued by a Bearer header.
    ///
    /// Of a whole cookie and chunks of one name the whole one counts, unless only the chunks have the form of a token.
    /// Auth.js joins every cookie whose name *starts with* the session cookie's (`core/lib/utils/cookie.ts:154-177`), so
    /// that a stale chunk or a sibling signs the visitor out; here neither counts. An `opaque` token, of a database
    /// session, is never chunked.
    ///
    /// # Errors
    /// `TooLarge` and `BearerMalformed`.
    pub(crate) fn of<N: AsRef<str>>(
        headers: &'h HeaderMap,
        names: &[N],
        opaque: bool,
    ) -> Result<Option<Self>, TokenError> {
        for (name, text) in names.iter().enumerate() {
            if let Some(sent) = scan(headers, text.as_ref())?.choose(opaque) {
                return Ok(Some(Self { sent, name }));
            }
        }
        Ok(bearer(headers)?.map(|value| Self { sent: Sent::Bearer(value), name: 0 }))
    }

    /// Which of the names it came under; for a Bearer token zero.
    pub(crate) fn name(&self) -> usize {
        self.name
    }

    /// Whether it came in an `Authorization` header.
    pub(crate) fn is_bearer(&self) -> bool {
        matches!(self.sent, Sent::Bearer(_))
    }

    /// The token, decoded and joined.
    ///
    /// # Errors
    /// `BearerMalformed`.
    pub(crate) fn token(&self) -> Result<Cow<'h, str>, TokenError> {
        match &self.sent {
            Sent::Whole(value) => Ok(percent_decode(value).unwrap_or(Cow::Borrowed(value))),
            Sent::Chunks(found) => Ok(Cow::Owned(found.joined_chunks())),
            Sent::Bearer(value) => {
                let value = std::str::from_utf8(value).map_err(|_| TokenError::BearerMalformed)?;
                percent_decode(value).ok_or(TokenError::BearerMalformed)
            }
        }
    }

    /// The very bytes that were sent, and a number below 4 that tells in which form: two tokens of one name with both the
    /// same are the same. Chunks are joined with `;`, which is in no cookie (RFC 6265, section 4.1.1).
    pub(super) fn as_sent(&self) -> (u8, Cow<'h, [u8]>) {
        match &self.sent {
            Sent::Whole(value) => (0, Cow::Borrowed(value.as_bytes())),
            Sent::Chunks(found) => (1, Cow::Owned(found.chunks().collect::<Vec<_>>().join(";").into_bytes())),
            Sent::Bearer(value) => (2, Cow::Borrowed(value)),
        }
    }

    /// The same, to be kept.
    ///
    /// # Errors
    /// `BearerMalformed`.
    pub(crate) fn into_credential(self) -> Result<Credential, TokenError> {
        let token = Zeroizing::new(self.token()?.into_owned());
        Ok(Credential { token, name: self.name, bearer: self.is_bearer() })
    }
}

/// The session token of a request, kept apart from its headers.
pub(crate) struct Credential {
    token: Zeroizing<String>,
    name: usize,
    bearer: bool,
}

impl Credential {
    /// The token.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Which of the names it came under; for a Bearer token zero.
    pub(crate) fn name(&self) -> usize {
        self.name
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

/// Every token that the cookies of this name could be, for what must end all of them.
pub(crate) fn every_token(headers: &HeaderMap, name: &str) -> impl Iterator<Item = String> {
    let found = scan(headers, name).ok();
    let whole = found.as_ref().and_then(|found| found.plain).map(|value| decode(value).into_owned());
    let chunks = found.map(|found| found.joined_chunks());
    [whole, chunks].into_iter().flatten().filter(|token| !token.is_empty())
}

/// Takes out of a request every cookie that Auth.js would join to the session token and that is no part of it: it joins
/// all cookies whose name *starts with* the session cookie's (`core/lib/utils/cookie.ts:154-177`), and would read another
/// token than is read here. The rest stays as it is, byte for byte.
pub(crate) fn drop_stray_cookies(headers: &mut HeaderMap, name: &str, opaque: bool) {
    let Ok(found) = scan(headers, name) else { return };
    let chunks = found.chunks().count();
    // How many numbered chunks are the token; none where it is whole.
    let of_token = match found.choose(opaque) {
        Some(Sent::Whole(_)) => Some(0),
        Some(_) => Some(chunks),
        None => None,
    };
    let mut seen = Vec::new();
    let mut is_part = |pair: &[u8]| {
        let (key, value) = split(pair, b'=');
        let Some(suffix) = key.trim_ascii().strip_prefix(name.as_bytes()) else { return true };
        let number = if suffix.is_empty() { Some(0) } else { chunk_number(suffix).map(|number| number + 1) };
        let is_wanted = match (of_token, number) {
            (Some(0), Some(0)) => true,
            (Some(chunks), Some(number)) => chunks > 0 && (1..=chunks).contains(&number),
            _ => false,
        };
        // The first of a name counts, and without a value it is no cookie.
        let is_cookie = value.is_some_and(|value| std::str::from_utf8(value).is_ok());
        let is_first = is_cookie && !seen.contains(&number);
        if is_cookie {
            seen.push(number);
        }
        is_wanted && is_first
    };
    let lines: Vec<_> = headers.get_all(COOKIE).iter().cloned().collect();
    let mut kept = Vec::with_capacity(lines.len());
    let mut is_changed = false;
    for line in lines {
        let pairs: Vec<&[u8]> = line.as_bytes().split(|byte| *byte == b';').collect();
        let parts: Vec<&[u8]> = pairs.iter().copied().filter(|pair| is_part(pair)).collect();
        if parts.len() == pairs.len() {
            kept.push(line);
            continue;
        }
        is_changed = true;
        let joined = parts.join(&b';');
        if let Ok(mut value) = http::HeaderValue::from_bytes(joined.trim_ascii())
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

impl<'h> Found<'h> {
    /// What counts of these cookies.
    fn choose(self, opaque: bool) -> Option<Sent<'h>> {
        let plain = self.plain.filter(|value| !value.is_empty());
        let has_chunks = !opaque && self.chunks().next().is_some();
        match plain {
            Some(value)
                if !has_chunks
                    || has_token_shape(&decode(value))
                    || !has_token_shape(&self.joined_chunks()) =>
            {
                Some(Sent::Whole(value))
            }
            _ => has_chunks.then_some(Sent::Chunks(self)),
        }
    }

    /// The chunks from `.0` to the first gap.
    fn chunks(&self) -> impl Iterator<Item = &'h str> {
        let all = self.chunks.iter().flat_map(|chunks| chunks.iter().copied());
        all.map_while(|chunk: Option<&'h str>| chunk.filter(|value| !value.is_empty()))
    }

    /// The chunks, decoded and joined.
    fn joined_chunks(&self) -> String {
        let mut joined = String::with_capacity(self.chunks().map(str::len).sum());
        for chunk in self.chunks() {
            joined.push_str(&decode(chunk));
        }
        joined
    }
}

/// `decodeURIComponent`, and the value as it is when that fails (`core/lib/vendored/cookie.ts`).
fn decode(value: &str) -> Cow<'_, str> {
    percent_decode(value).unwrap_or(Cow::Borrowed(value))
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
fn bearer(headers: &HeaderMap) -> Result<Option<&[u8]>, TokenError> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let value = match value.as_bytes().strip_prefix(b"Bearer") {
        Some([]) => return Err(TokenError::BearerMalformed),
        Some([b' ', value @ ..]) => value,
        Some(_) | None => return Ok(None),
    };
    if value.len() > COOKIE_LIMIT {
        return Err(TokenError::TooLarge);
    }
    let value = value.trim_ascii_end();
    if value.is_empty() || value.iter().any(|byte| matches!(byte, b' ' | b'\t')) {
        return Err(TokenError::BearerMalformed);
    }
    Ok(Some(value))
}

#[cfg(test)]
mod tests;
