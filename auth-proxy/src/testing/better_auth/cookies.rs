//! Names, values and attributes of the cookies (`docs/better-auth.md#cookie-names`).

use std::fmt::Write as _;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::token::SignedCookies;
pub(super) use crate::token::cookie_cache_mint::signed_cookie as signed;

/// The longest `Set-Cookie` line before a value is split, and the most chunks.
const MAX_LINE: usize = 4050;
const MAX_CHUNKS: usize = 100;

/// The names of the cookies. All have the prefix of the session cookie.
pub(super) struct Names {
    pub(super) token: String,
    pub(super) data: String,
    pub(super) dont_remember: String,
}

impl Names {
    pub(super) fn of(token: &str) -> Self {
        let own = token.strip_suffix("session_token");
        let secure = if token.starts_with("__Secure-") { "__Secure-better-auth." } else { "better-auth." };
        let prefix = own.unwrap_or(secure);
        Self {
            token: token.to_owned(),
            data: format!("{prefix}session_data"),
            dont_remember: format!("{prefix}dont_remember"),
        }
    }
}

/// The `Set-Cookie` value of a cookie. The value is percent-encoded. Without `max_age` the browser drops the cookie when
/// it is closed.
pub(super) fn set_cookie(name: &str, value: &str, max_age: Option<Duration>) -> String {
    let mut line = format!("{name}={}", encoded(value));
    if let Some(max_age) = max_age {
        // Writing to a string cannot fail.
        let _ = write!(line, "; Max-Age={}", max_age.as_secs());
    }
    line += "; Path=/; HttpOnly";
    if name.starts_with("__Secure-") {
        line += "; Secure";
    }
    line + "; SameSite=Lax"
}

pub(super) fn encoded(value: &str) -> String {
    crate::cookie::encoded(value).to_string()
}

/// The value of a signed cookie, if the signature is good.
pub(super) fn verified<'v>(signed: &'v str, secret: &str) -> Option<&'v str> {
    let cookies = SignedCookies::new(&[Zeroizing::new(secret.to_owned())]);
    cookies.is_signed_by_current(signed).then(|| SignedCookies::token_part(signed))
}

/// Names and values of the cookies that hold this value. A long value is split. A value that is too long for the most
/// chunks is in no cookie.
pub(super) fn chunks(name: &str, value: &str, max_age: Option<Duration>) -> Vec<(String, String)> {
    let size = MAX_LINE.saturating_sub(set_cookie(&format!("{name}.99"), "", max_age).len()).max(1);
    if value.len() <= size {
        return vec![(name.to_owned(), value.to_owned())];
    }
    let chunks: Vec<_> = value.as_bytes().chunks(size).enumerate().collect();
    if chunks.len() > MAX_CHUNKS {
        return Vec::new();
    }
    chunks
        .into_iter()
        .map(|(n, chunk)| (format!("{name}.{n}"), String::from_utf8_lossy(chunk).into_owned()))
        .collect()
}

/// The number of a chunk of this cookie: decimal, without a leading zero.
pub(super) fn chunk_number(of: &str, name: &str) -> Option<usize> {
    let digits = name.strip_prefix(of)?.strip_prefix('.')?;
    let number: usize = digits.parse().ok()?;
    (number.to_string() == digits).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret and the value of `docs/better-auth.md#cookie-signature`.
    #[test]
    fn signed_value_is_that_of_the_real_library() {
        let secret = "h1-test-secret-0123456789abcdefghijklmnopqrstuv";
        let value = signed("abc", secret);
        assert_eq!(encoded(&value), "abc.WZ5KSQ59oZU7iySRHc91UpU8P7qyNCW%2FQvXQiHfFW44%3D");
        assert_eq!(verified(&value, secret), Some("abc"));
        assert_eq!(verified(&value, "another secret"), None);
        for bad in
            ["abc", "abc.", "abd.WZ5KSQ59oZU7iySRHc91UpU8P7qyNCW/QvXQiHfFW44=", &value[..value.len() - 1]]
        {
            assert_eq!(verified(bad, secret), None, "{bad}");
        }
    }

    #[test]
    fn value_is_split_where_the_real_library_splits_it() {
        let max_age = Some(Duration::from_secs(300));
        let lengths = |name: &str, length: usize| -> Vec<usize> {
            chunks(name, &"x".repeat(length), max_age).iter().map(|(_, value)| value.len()).collect()
        };
        assert_eq!(lengths("better-auth.session_data", 3977), [3977]);
        assert_eq!(lengths("better-auth.session_data", 3978), [3977, 1]);
        assert!(lengths("better-auth.session_data", 3977 * 100 + 1).is_empty());
        let names = Names::of("__Secure-better-auth.session_token");
        assert_eq!(lengths(&names.data, 3960), [3960]);
    }

    #[test]
    fn companions_have_the_prefix_of_the_session_cookie() {
        for (token, data) in [
            ("better-auth.session_token", "better-auth.session_data"),
            ("__Secure-mine.session_token", "__Secure-mine.session_data"),
            ("sid", "better-auth.session_data"),
            ("__Secure-sid", "__Secure-better-auth.session_data"),
        ] {
            assert_eq!(Names::of(token).data, data);
        }
    }
}
