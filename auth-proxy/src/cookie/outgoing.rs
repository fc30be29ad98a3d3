//! Builds the `Cookie` line of a lookup.

use http::HeaderValue;
use zeroize::Zeroizing;

use super::error::CredentialError;
use super::percent::encoded;

/// The longest chunk in characters, before percent-encoding (`docs/authjs.md#chunk-size`).
const CHUNK: usize = 3936;

/// The longest `Cookie` line of a lookup, in bytes. Node refuses request heads over 16 KiB with 431 and closes the
/// connection (`--max-http-header-size`), so the upstream cannot read a larger session cookie.
pub(crate) const LOOKUP_LIMIT: usize = 12 * 1024;

/// The `Cookie` header of a `/session` lookup: the session token under each of these names, and the cookies that
/// belong to it (`companions`), and nothing else that the browser sent. The upstream then sets new CSRF and callback-URL cookies, which a lookup does not relay.
///
/// # Errors
/// `LookupTooLarge`.
pub(crate) fn lookup_cookie<'n>(
    names: impl Iterator<Item = &'n str>,
    token: &str,
    companions: &[&str],
) -> Result<HeaderValue, CredentialError> {
    let size = companions.iter().map(|part| part.len() + 2).sum::<usize>();
    let mut line = Zeroizing::new(Vec::with_capacity(token.len() + size + 64));
    for name in names {
        for (n, chunk) in chunks(token).enumerate() {
            if !line.is_empty() {
                line.extend_from_slice(b"; ");
            }
            line.extend_from_slice(name.as_bytes());
            if chunk.len() < token.len() {
                line.extend_from_slice(format!(".{n}").as_bytes());
            }
            line.push(b'=');
            for text in encoded(chunk) {
                line.extend_from_slice(text.as_bytes());
                if line.len() > LOOKUP_LIMIT {
                    return Err(CredentialError::LookupTooLarge);
                }
            }
        }
    }
    for part in companions.iter().filter(|part| !part.is_empty()) {
        line.extend_from_slice(b"; ");
        line.extend_from_slice(part.as_bytes());
    }
    if line.len() > LOOKUP_LIMIT {
        return Err(CredentialError::LookupTooLarge);
    }
    let mut value = HeaderValue::from_bytes(&line).map_err(|_| CredentialError::LookupTooLarge)?;
    value.set_sensitive(true);
    Ok(value)
}

/// The `Authorization` header of a lookup with a Bearer token, for an upstream that reads it there.
///
/// # Errors
/// `LookupTooLarge`.
pub(crate) fn lookup_bearer(token: &str) -> Result<HeaderValue, CredentialError> {
    let text = Zeroizing::new(format!("Bearer {token}"));
    if text.len() > LOOKUP_LIMIT {
        return Err(CredentialError::LookupTooLarge);
    }
    let mut value = HeaderValue::from_str(&text).map_err(|_| CredentialError::LookupTooLarge)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Splits a token into the chunks of Auth.js. The token is split before it is encoded: the upstream decodes each chunk
/// by itself, so no escape may be split.
fn chunks(token: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(token);
    std::iter::from_fn(move || {
        let text = rest?;
        let (chunk, after) = match text.char_indices().nth(CHUNK) {
            Some((at, _)) => text.split_at(at),
            None => (text, ""),
        };
        rest = if after.is_empty() { None } else { Some(after) };
        Some(chunk)
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use http::header::COOKIE;
    use proptest::prelude::*;

    use super::*;
    use crate::cookie::Candidate;

    fn cookie(token: &str) -> Result<String, CredentialError> {
        let line = lookup_cookie(["s"].into_iter(), token, &[])?;
        assert!(line.is_sensitive());
        Ok(line.to_str().unwrap().to_owned())
    }

    #[test]
    fn lookup_cookie_has_the_encoded_token_under_each_name() {
        assert_eq!(cookie("a b").unwrap(), "s=a%20b");
        let both = lookup_cookie(["__Secure-s", "s"].into_iter(), "t", &[]).unwrap();
        assert_eq!(both, "__Secure-s=t; s=t");
    }

    #[test]
    fn long_token_is_sent_in_chunks() {
        let line = cookie(&"x".repeat(2 * CHUNK + 1)).unwrap();
        let sizes: Vec<_> =
            line.split("; ").map(|pair| pair.split_once('=').map(|(n, v)| (n, v.len())).unwrap()).collect();
        assert_eq!(sizes, [("s.0", CHUNK), ("s.1", CHUNK), ("s.2", 1)]);
    }

    #[test]
    fn token_over_the_chunk_size_is_split() {
        let names = |length: usize| {
            let line = cookie(&"x".repeat(length)).unwrap();
            line.split("; ").map(|pair| pair.split_once('=').unwrap().0.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(CHUNK), ["s"]);
        assert_eq!(names(CHUNK + 1), ["s.0", "s.1"]);
    }

    /// Percent-encoding triples the length of `|`.
    #[test]
    fn encoded_lookup_cookie_stays_within_the_limit() {
        assert_eq!(cookie(&"|".repeat(22_000)), Err(CredentialError::LookupTooLarge));
        assert_eq!(cookie(&"x".repeat(LOOKUP_LIMIT)), Err(CredentialError::LookupTooLarge));
        assert!(cookie(&"|".repeat(1_300)).unwrap().len() < LOOKUP_LIMIT);
        assert!(cookie(&"x".repeat(LOOKUP_LIMIT - 100)).unwrap().len() <= LOOKUP_LIMIT);
    }

    proptest! {
        #[test]
        fn lookup_cookie_is_read_back_as_the_same_token(token in "(\\PC{1,40}){1,9}", times in 1_usize..300) {
            let token = token.repeat(times);
            let Ok(line) = lookup_cookie(["s"].into_iter(), &token, &[]) else { return Ok(()) };
            let headers: HeaderMap = [(COOKIE, line)].into_iter().collect();
            let read = Candidate::of(&headers, &["s"], false).unwrap().unwrap();
            prop_assert_eq!(read.token().unwrap(), token.as_str());
        }
    }
}
