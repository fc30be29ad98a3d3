//! Whether a `Set-Cookie` sets or clears the session cookie, and which token the browser has afterwards.

use std::borrow::Cow;
use std::time::SystemTime;

use http::header::{COOKIE, HeaderMap, HeaderValue};

use super::candidate::Candidate;
use super::scan::chunk_number;
use super::text::{Attribute, SetCookie, split};

/// The effect of a `Set-Cookie` on the session cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetCookieKind {
    /// Removes the cookie: the value is empty, or the cookie is expired.
    Clears,
    /// Sets the cookie, or one of its chunks.
    Sets,
}

/// The effect of a `Set-Cookie` value on the session cookie of this name or on one of its chunks. `None` for every
/// other cookie.
pub(crate) fn set_cookie_kind(set_cookie: &[u8], name: &str) -> Option<SetCookieKind> {
    kind_at(set_cookie, name, SystemTime::now())
}

/// The token that a browser has after these `Set-Cookie` lines. Of two lines with the same name the later counts.
pub(crate) fn token_after<'v>(
    set_cookies: impl DoubleEndedIterator<Item = &'v [u8]>,
    name: &str,
    opaque: bool,
) -> Option<String> {
    let pairs = set_cookies.rev().filter_map(|cookie| {
        let pair = SetCookie::of(cookie).pair;
        // A cookie that is cleared leaves no token, whatever its value is.
        let pair = match set_cookie_kind(cookie, name) {
            Some(SetCookieKind::Clears) => [split(pair, b'=').0, b"="].concat(),
            _ => pair.to_vec(),
        };
        Some((COOKIE, HeaderValue::from_bytes(&pair).ok()?))
    });
    let headers: HeaderMap = pairs.collect();
    Candidate::of(&headers, &[name], opaque).ok()??.token().ok().map(Cow::into_owned)
}

fn kind_at(set_cookie: &[u8], name: &str, now: SystemTime) -> Option<SetCookieKind> {
    let cookie = SetCookie::of(set_cookie);
    let (key, value) = cookie.name_and_value()?;
    let suffix = key.strip_prefix(name.as_bytes())?;
    if !suffix.is_empty() && chunk_number(suffix).is_none() {
        return None;
    }
    let clears = value.is_empty() || is_expired(cookie.attributes(), now);
    Some(if clears { SetCookieKind::Clears } else { SetCookieKind::Sets })
}

/// Whether the cookie is expired when it arrives. `Max-Age` outranks `Expires`, and of two attributes of one name the
/// later counts (RFC 6265, section 5.3). An attribute that cannot be read is ignored, as in a browser.
fn is_expired<'a>(attributes: impl Iterator<Item = Attribute<'a>>, now: SystemTime) -> bool {
    let (mut max_age, mut expires) = (None, None);
    for Attribute { name, value, .. } in attributes {
        if name.eq_ignore_ascii_case(b"max-age") {
            max_age = is_zero_or_less(value).or(max_age);
        } else if name.eq_ignore_ascii_case(b"expires") {
            expires = date(value).map(|at| at <= now).or(expires);
        }
    }
    max_age.or(expires).unwrap_or(false)
}

/// The date of an `Expires`, in the three forms of RFC 9110, section 5.6.7.
///
/// Auth.js, next-auth and Robo write the first of these forms, IMF-fixdate (`docs/authjs.md#cookie-expires`). Browsers
/// also accept `01-Jan-1970`, any time zone and a wrong day of the week (RFC 6265, section 5.1.1). Such a date is
/// ignored here.
fn date(value: &[u8]) -> Option<SystemTime> {
    httpdate::parse_http_date(std::str::from_utf8(value).ok()?).ok()
}

/// Whether a `Max-Age` is zero or less; `None` if it is not a number (RFC 6265, section 5.2.2).
fn is_zero_or_less(value: &[u8]) -> Option<bool> {
    let (negative, digits) = match value.strip_prefix(b"-") {
        Some(digits) => (true, digits),
        None => (false, value),
    };
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    is_number.then(|| negative || digits.iter().all(|digit| *digit == b'0'))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn token_after_returns_the_token_that_is_set_last() {
        let after =
            |lines: &[&'static str]| token_after(lines.iter().map(|line| line.as_bytes()), "s", false);
        assert_eq!(after(&["s=one; Path=/", "s=two; Path=/", "other=x"]).as_deref(), Some("two"));
        assert_eq!(after(&["s=; Max-Age=0", "s.0=o; Path=/", "s.1=ne; Path=/"]).as_deref(), Some("one"));
        for cleared in
            ["s=; Max-Age=0", "s=deleted; Max-Age=0", "s=deleted; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]
        {
            assert_eq!(after(&[cleared]), None, "{cleared}");
        }
    }

    #[test]
    fn set_cookie_kind_is_sets_clears_or_none() {
        // Sun, 13 Sep 2020 12:26:40 GMT
        let now = UNIX_EPOCH + Duration::from_secs(1_600_000_000);
        let kind = |text: &str| kind_at(text.as_bytes(), "s", now);
        for text in [
            "s=",
            "s = ",
            "s=; Path=/",
            "s=; Max-Age=10",
            "s=x; max-age=0",
            "s=x; Max-Age=000",
            "s=x; Max-Age = -1",
            "s=x; Max-Age=10; Max-Age=0",
            "s=x; Max-Age=0; Max-Age=soon",
            "s=x; Max-Age=0; Expires=Wed, 01 Jan 2031 00:00:00 GMT",
            "s=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/",
            "s=x; expires=Sun, 13 Sep 2020 12:26:40 GMT",
            "s.2=; Path=/",
        ] {
            assert_eq!(kind(text), Some(SetCookieKind::Clears), "{text}");
        }
        for text in [
            "s=x",
            "s=x; Path=/; Max-Age=10",
            "s=x; Max-Age",
            "s=x; Max-Age=",
            "s=x; Max-Age=-",
            "s=x; Max-Age=0x",
            "s=x; Expires=Sun, 13 Sep 2020 12:26:41 GMT",
            "s=x; Expires=yesterday",
            "s=x; Max-Age=10; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            "s.0=x; Path=/",
            "s.63=x",
            "s =x",
        ] {
            assert_eq!(kind(text), Some(SetCookieKind::Sets), "{text}");
        }
        for text in
            ["", "s", "t=x", "ss=x", "s.x=1", "s.=1", "s.00=1", "s.01=1", "s.64=1", "=s", "S=x", "x; s=1"]
        {
            assert_eq!(kind(text), None, "{text}");
        }
    }

    #[test]
    fn expires_is_compared_with_the_current_time() {
        let kind = |text: &str| set_cookie_kind(text.as_bytes(), "s");
        assert_eq!(kind("s=x; Expires=Fri, 01 Jan 2016 00:00:00 GMT"), Some(SetCookieKind::Clears));
        assert_eq!(kind("s=x; Expires=Fri, 01 Jan 2999 00:00:00 GMT"), Some(SetCookieKind::Sets));
    }

    #[test]
    fn expires_is_read_in_the_three_forms_of_http() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            " Sun, 06 Nov 1994 08:49:37 GMT ",
        ] {
            let expected = UNIX_EPOCH + Duration::from_secs(784_111_777);
            assert_eq!(date(text.as_bytes()), Some(expected), "{text}");
        }
        for (text, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Thu, 29 Feb 2024 23:59:59 GMT", 1_709_251_199),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
        ] {
            let expected = UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(date(text.as_bytes()), Some(expected), "{text}");
        }
        for text in [
            "",
            "0",
            "-1",
            "never",
            "Thu, 01 Jan 1970",
            "01 Jan 00:00:00",
            "Thu, 32 Jan 1970 00:00:00 GMT",
            "Thu, 29 Feb 2023 00:00:00 GMT",
            "Thu, 01 Jan 1970 24:00:00 GMT",
            "Thu, 01 Jan 1970 00:60:00 GMT",
            "Thu, 01 Jan 1600 00:00:00 GMT",
            "Thu, 01 Foo 1970 00:00:00 GMT",
            "2020-09-13T12:26:40Z",
            // Browsers accept these.
            "Thu, 01-Jan-1970 00:00:00 GMT",
            "Fri, 01 Jan 1970 00:00:00 GMT",
            "Thu, 01 Jan 1970 00:00:00 -0000",
            "Wed, 31 Dec 1969 23:59:59 GMT",
            "1 jan 70 0:0:1",
        ] {
            assert_eq!(date(text.as_bytes()), None, "{text}");
        }
        assert_eq!(date(b"Thu, 01 Jan 1970 00:00:00 GMT\xff"), None);
    }

    proptest! {
        #[test]
        fn parsing_a_date_never_panics(text in prop::collection::vec(any::<u8>(), 0..60), near in "(Mon, |Sunday, |Wed ){0,2}[0-9a-c: ,-]{0,24}(Jan|feb)[0-9: -]{0,24}( GMT)?") {
            let _ = date(&text);
            let _ = date(near.as_bytes());
        }
    }
}
