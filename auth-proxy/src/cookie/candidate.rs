//! Finds the one session token of a request, in its cookies or in `Authorization`.

use std::borrow::Cow;
use std::fmt;

use http::HeaderMap;
use http::header::COOKIE;
use zeroize::Zeroizing;

use super::bearer::bearer;
use super::companions::CompanionCookies;
use super::error::CredentialError;
use super::percent::{decode, decode_or_keep};
use super::scan::{Chosen, SessionCookies, Value, chunk_number, scan};
use super::text::{pairs, split};

/// The session token of a request, borrowed from the headers.
///
/// A request has at most one. It is chosen by cookie name and form alone. The session, the claims, the raw token, the
/// policy and the cache all use this token. If it is invalid, no other token of the request is tried.
pub(crate) struct Candidate<'h> {
    sent: Sent<'h>,
    /// The index of the cookie's name. Zero for a Bearer token.
    name: usize,
}

enum Sent<'h> {
    /// In one cookie.
    Whole(Value<'h>),
    /// In chunks.
    Chunks(SessionCookies<'h>),
    /// In the `Authorization` header.
    Bearer(&'h [u8]),
}

impl<'h> Candidate<'h> {
    /// Finds the session token: in the cookie of the first of these names that was sent, whole or in chunks `.0 .. .n`,
    /// else in a Bearer header (`docs/authjs.md#bearer`). A Bearer header does not replace an invalid cookie.
    ///
    /// If one name has a whole cookie and chunks, the whole cookie counts, unless only the chunks have the form of a
    /// token. Auth.js joins every cookie whose name *starts with* the session cookie's (`docs/authjs.md#chunk-read`),
    /// so a stale chunk or a cookie with a longer name signs the visitor out there. Here it is ignored. An `opaque`
    /// token (of a database session) is never chunked.
    ///
    /// # Errors
    /// `TooLarge`, `BearerTooLarge` and `BearerMalformed`.
    pub(crate) fn of<N: AsRef<str>, const COUNT: usize>(
        headers: &'h HeaderMap,
        names: &[N; COUNT],
        opaque: bool,
    ) -> Result<Option<Self>, CredentialError> {
        for (name, found) in scan(headers, names)?.into_iter().enumerate() {
            if let Some(chosen) = found.choose(opaque) {
                let sent = match chosen {
                    Chosen::Whole(value) => Sent::Whole(value),
                    Chosen::Chunks(cookies) => Sent::Chunks(cookies),
                };
                return Ok(Some(Self { sent, name }));
            }
        }
        Ok(bearer(headers)?.map(|value| Self { sent: Sent::Bearer(value), name: 0 }))
    }

    /// The index of the cookie's name. Zero for a Bearer token.
    pub(crate) fn name(&self) -> usize {
        self.name
    }

    /// Whether the token came in an `Authorization` header.
    pub(crate) fn is_bearer(&self) -> bool {
        matches!(self.sent, Sent::Bearer(_))
    }

    /// The token, decoded and joined.
    ///
    /// # Errors
    /// `BearerMalformed`.
    pub(crate) fn token(&self) -> Result<Cow<'h, str>, CredentialError> {
        match &self.sent {
            Sent::Whole(value) => Ok(decode_or_keep(value.text())),
            Sent::Chunks(found) => Ok(Cow::Owned(found.joined_chunks())),
            Sent::Bearer(value) => {
                let value = std::str::from_utf8(value).map_err(|_| CredentialError::BearerMalformed)?;
                decode(value).ok_or(CredentialError::BearerMalformed)
            }
        }
    }

    /// The form of the token, as a number below 4, and the bytes that were sent. Two tokens under one name are equal if
    /// their form and bytes are equal. Chunks are joined with `;`, which no cookie contains (RFC 6265, section 4.1.1).
    pub(crate) fn as_sent(&self) -> (u8, Cow<'h, [u8]>) {
        match &self.sent {
            Sent::Whole(value) => (0, Cow::Borrowed(value.bytes())),
            Sent::Chunks(found) => {
                (1, Cow::Owned(found.chunks().map(Value::bytes).collect::<Vec<_>>().join(&b';')))
            }
            Sent::Bearer(value) => (2, Cow::Borrowed(value)),
        }
    }

    /// Copies the token out of the headers. `companions` are the cookies that belong to it.
    ///
    /// # Errors
    /// `BearerMalformed`.
    pub(crate) fn into_credential(self, companions: CompanionCookies) -> Result<Credential, CredentialError> {
        let token = Zeroizing::new(self.token()?.into_owned());
        Ok(Credential { token, name: self.name, bearer: self.is_bearer(), companions })
    }
}

/// Every token that the request may carry, under any of these names or in `Authorization`. A sign-out must end all of
/// them, because only the upstream knows which one it reads.
pub(crate) fn every_token<'n>(headers: &HeaderMap, names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let cookies = names.filter_map(|name| scan(headers, &[name]).ok()).flatten();
    let mut tokens: Vec<String> = cookies.flat_map(|found| found.every_token()).flatten().collect();
    let bearer = bearer(headers).ok().flatten().and_then(|value| std::str::from_utf8(value).ok());
    tokens.extend(bearer.map(|value| decode_or_keep(value).into_owned()));
    tokens
}

/// Whether at most one session token was sent in cookies, and each of its cookies once: the same one then counts for every
/// server.
pub(crate) fn sends_one_token<'n>(headers: &HeaderMap, names: impl Iterator<Item = &'n str>) -> bool {
    let names: Vec<&str> = names.collect();
    // The index of the name, and the number of the chunk.
    let mut sent: Vec<(usize, Option<usize>)> = Vec::new();
    for pair in headers.get_all(COOKIE).iter().flat_map(|line| pairs(line.as_bytes())) {
        let name = split(pair, b'=').0.trim_ascii();
        for (index, own) in names.iter().enumerate() {
            let Some(suffix) = name.strip_prefix(own.as_bytes()) else { continue };
            let cookie = match (suffix, chunk_number(suffix)) {
                (b"", _) => (index, None),
                (_, Some(number)) => (index, Some(number)),
                _ => continue,
            };
            let fits = |other: &(usize, Option<usize>)| {
                other.0 == index && other.1.is_some() == cookie.1.is_some() && *other != cookie
            };
            if !sent.iter().all(fits) {
                return false;
            }
            sent.push(cookie);
        }
    }
    true
}

/// The session token of a request, copied out of its headers.
pub(crate) struct Credential {
    token: Zeroizing<String>,
    name: usize,
    bearer: bool,
    companions: CompanionCookies,
}

impl Credential {
    /// The token.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// The index of the cookie's name. Zero for a Bearer token.
    pub(crate) fn name(&self) -> usize {
        self.name
    }

    /// Whether the token came in an `Authorization` header.
    pub(crate) fn is_bearer(&self) -> bool {
        self.bearer
    }

    /// The cookies that a lookup sends beside the token, as two parts of a `Cookie` line: the cookie cache, and the
    /// others. A part is empty if there is none.
    pub(crate) fn companions(&self) -> [&str; 2] {
        [&self.companions.cache_line, &self.companions.other_line]
    }

    /// The value of the cookie cache that came beside the token.
    pub(crate) fn cache(&self) -> Option<&str> {
        self.companions.cache.as_deref().map(String::as_str)
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("bearer", &self.bearer).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
