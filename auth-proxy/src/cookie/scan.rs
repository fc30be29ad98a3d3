//! Finds the session cookie of one name in the `Cookie` lines of a request, whole or in chunks.

use http::HeaderMap;
use http::header::COOKIE;

use super::error::CredentialError;
use super::percent::decode_or_keep;
use super::text::{pairs, split};

/// The limit of all `Cookie` lines together, in bytes. Node refuses request heads over 16 KiB
/// (`--max-http-header-size`), so no known upstream accepts more.
pub(super) const COOKIE_LIMIT: usize = 64 * 1024;

/// The limit of chunks of one token. This many chunks of 3936 bytes (`docs/authjs.md#chunk-size`) exceed
/// `COOKIE_LIMIT`.
pub(super) const CHUNK_LIMIT: usize = 64;

/// The session cookie of one name as it was sent: whole, in chunks, or both.
pub(super) struct SessionCookies<'h> {
    whole: Option<Value<'h>>,
    /// Boxed, because most tokens come in one cookie.
    chunks: Option<Box<[Option<Value<'h>>; CHUNK_LIMIT]>>,
}

/// The value of a cookie, in UTF-8. It is made into a `str` only where it is read as text: a token that was verified before
/// is compared by its bytes, and most requests bring one.
#[derive(Clone, Copy)]
pub(super) struct Value<'h>(&'h [u8]);

/// The cookie, or the cookies, that are the session token.
pub(super) enum Chosen<'h> {
    /// One cookie.
    Whole(Value<'h>),
    /// Several cookies, each with a part (chunk) of the token: `{name}.0` to `{name}.n`.
    Chunks(SessionCookies<'h>),
}

/// Finds the session cookies of each of these names, in one pass over the `Cookie` lines. The first cookie of a name
/// counts: browsers send the more specific path first (RFC 6265, section 5.4). Auth.js keeps the first one too
/// (`docs/authjs.md#cookie-parse`).
///
/// # Errors
/// `TooLarge`.
pub(super) fn scan<'h, N: AsRef<str>, const COUNT: usize>(
    headers: &'h HeaderMap,
    names: &[N; COUNT],
) -> Result<[SessionCookies<'h>; COUNT], CredentialError> {
    let mut all = [const { SessionCookies { whole: None, chunks: None } }; COUNT];
    let mut total = 0;
    for line in headers.get_all(COOKIE) {
        total += line.len();
        if total > COOKIE_LIMIT {
            return Err(CredentialError::TooLarge);
        }
        for pair in pairs(line.as_bytes()) {
            let pair = pair.trim_ascii_start();
            for (name, found) in names.iter().zip(&mut all) {
                if let Some(rest) = pair.strip_prefix(name.as_ref().as_bytes()) {
                    found.add(rest);
                }
            }
        }
    }
    Ok(all)
}

/// The chunk number in a suffix such as `.7`. `None` for `.07`, `.` and `.7x`.
pub(super) fn chunk_number(suffix: &[u8]) -> Option<usize> {
    let digits = suffix.strip_prefix(b".")?;
    let canonical = digits == b"0" || !digits.starts_with(b"0");
    if !canonical || digits.is_empty() || digits.len() > 2 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (number < CHUNK_LIMIT).then_some(number)
}

impl<'h> Value<'h> {
    /// `None` if it is not UTF-8.
    fn of(value: &'h [u8]) -> Option<Self> {
        // Most values are ASCII, and that is seen in half of the time.
        (value.is_ascii() || std::str::from_utf8(value).is_ok()).then_some(Self(value))
    }

    pub(super) fn bytes(self) -> &'h [u8] {
        self.0
    }

    pub(super) fn text(self) -> &'h str {
        // Never the default: see `of`.
        std::str::from_utf8(self.0).unwrap_or_default()
    }
}

impl<'h> SessionCookies<'h> {
    /// Adds a cookie, given by what follows the name: `=value`, or `.n=value` for a chunk.
    fn add(&mut self, rest: &'h [u8]) {
        let (suffix, Some(value)) = split(rest, b'=') else { return };
        let Some(value) = Value::of(value.trim_ascii()) else { return };
        let place = match suffix.trim_ascii_end() {
            b"" => Some(&mut self.whole),
            suffix => chunk_number(suffix)
                .and_then(|n| self.chunks.get_or_insert_with(|| Box::new([None; CHUNK_LIMIT])).get_mut(n)),
        };
        if let Some(place @ None) = place {
            *place = Some(value);
        }
    }

    /// Every token that these cookies may hold: the whole cookie, and the joined chunks.
    pub(super) fn every_token(&self) -> [Option<String>; 2] {
        let whole = self.whole.map(|value| decode_or_keep(value.text()).into_owned());
        [whole, Some(self.joined_chunks())].map(|token| token.filter(|token| !token.is_empty()))
    }

    /// The cookies that are the session token. An `opaque` token, of a database session, is never chunked.
    pub(super) fn choose(self, opaque: bool) -> Option<Chosen<'h>> {
        let whole = self.whole.filter(|value| !value.bytes().is_empty());
        let has_chunks = !opaque && self.chunks().next().is_some();
        match whole {
            Some(value)
                if !has_chunks
                    || has_token_shape(&decode_or_keep(value.text()))
                    || !has_token_shape(&self.joined_chunks()) =>
            {
                Some(Chosen::Whole(value))
            }
            _ => has_chunks.then_some(Chosen::Chunks(self)),
        }
    }

    /// The chunks from `.0` to the first gap.
    pub(super) fn chunks(&self) -> impl Iterator<Item = Value<'h>> {
        let all = self.chunks.iter().flat_map(|chunks| chunks.iter().copied());
        all.map_while(|chunk: Option<Value<'h>>| chunk.filter(|value| !value.bytes().is_empty()))
    }

    /// The chunks, decoded and joined.
    pub(super) fn joined_chunks(&self) -> String {
        let mut joined = String::with_capacity(self.chunks().map(|chunk| chunk.bytes().len()).sum());
        for chunk in self.chunks() {
            joined.push_str(&decode_or_keep(chunk.text()));
        }
        joined
    }
}

/// Whether a value has the parts of a token: five for a JWE, three for a JWS.
fn has_token_shape(value: &str) -> bool {
    matches!(value.bytes().filter(|byte| *byte == b'.').count(), 2 | 4)
}
