//! What a `Set-Cookie` does to the session cookie, and which token the browser has after it.

use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

use http::header::{COOKIE, HeaderMap, HeaderValue};

use super::candidate::Candidate;
use super::date;
use super::scan::chunk_number;
use super::text::{Attribute, SetCookie, split};

/// What a `Set-Cookie` does to the session cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetCookieKind {
    /// Takes it away: an empty value, or no time to live.
    Clears,
    /// Sets it, or one of its chunks.
    Sets,
}

/// Whether a `Set-Cookie` value concerns the session cookie of this name, or one of its chunks.
pub(crate) fn is_session_cookie(set_cookie: &[u8], name: &str) -> Option<SetCookieKind> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    at(set_cookie, name, i64::try_from(now).unwrap_or(i64::MAX))
}

/// The token that a browser has after these `Set-Cookie` lines: of two of one name the later counts.
pub(crate) fn token_after<'v>(
    set_cookies: impl DoubleEndedIterator<Item = &'v [u8]>,
    name: &str,
    opaque: bool,
) -> Option<String> {
    let pairs = set_cookies.rev().filter_map(|cookie| {
        let pair = SetCookie::of(cookie).pair;
        // A cookie that is cleared leaves no token, whatever value it is given.
        let pair = match is_session_cookie(cookie, name) {
            Some(SetCookieKind::Clears) => [split(pair, b'=').0, b"="].concat(),
            _ => pair.to_vec(),
        };
        Some((COOKIE, HeaderValue::from_bytes(&pair).ok()?))
    });
    let headers: HeaderMap = pairs.collect();
    Candidate::of(&headers, &[name], opaque).ok()??.token().ok().map(Cow::into_owned)
}

fn at(set_cookie: &[u8], name: &str, now: i64) -> Option<SetCookieKind> {
    let cookie = SetCookie::of(set_cookie);
    let (key, value) = cookie.name_and_value()?;
    let suffix = key.strip_prefix(name.as_bytes())?;
    if !suffix.is_empty() && chunk_number(suffix).is_none() {
        return None;
    }
    let clears = value.is_empty() || is_spent(cookie.attributes(), now);
    Some(if clears { SetCookieKind::Clears } else { SetCookieKind::Sets })
}

/// Whether the attributes leave no time to live. `Max-Age` outranks `Expires`, and of two attributes
/// of one name the later counts (RFC 6265, section 5.3).
fn is_spent<'a>(attributes: impl Iterator<Item = Attribute<'a>>, now: i64) -> bool {
    let (mut max_age, mut expires) = (None, None);
    for Attribute { name, value, .. } in attributes {
        if name.eq_ignore_ascii_case(b"max-age") {
            max_age = is_no_age(value).or(max_age);
        } else if name.eq_ignore_ascii_case(b"expires") {
            expires = date::parse(value).map(|at| at <= now).or(expires);
        }
    }
    max_age.or(expires).unwrap_or(false)
}

/// Whether a `Max-Age` is zero or less; `None` when it is no number (RFC 6265, section 5.2.2).
fn is_no_age(value: &[u8]) -> Option<bool> {
    let (negative, digits) = match value.strip_prefix(b"-") {
        Some(digits) => (true, digits),
        None => (false, value),
    };
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    is_number.then(|| negative || digits.iter().all(|digit| *digit == b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_after_an_answer_is_the_one_it_sets() {
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
    fn tells_setting_from_clearing() {
        // Sun, 13 Sep 2020 12:26:40 GMT
        let kind = |text: &str| at(text.as_bytes(), "s", 1_600_000_000);
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
    fn the_clock_is_the_real_one() {
        let kind = |text: &str| is_session_cookie(text.as_bytes(), "s");
        assert_eq!(kind("s=x; Expires=Fri, 01 Jan 2016 00:00:00 GMT"), Some(SetCookieKind::Clears));
        assert_eq!(kind("s=x; Expires=Fri, 01 Jan 2999 00:00:00 GMT"), Some(SetCookieKind::Sets));
    }
}
