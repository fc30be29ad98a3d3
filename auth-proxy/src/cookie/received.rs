//! [`ReceivedCookie`]: a cookie of a response, for a check that looks at all of them.

use http::HeaderMap;
use http::header::SET_COOKIE;
use percent_encoding::percent_decode;

use super::set_cookie::{SetCookieKind, set_cookie_kind};
use super::text::SetCookie;

/// A cookie of a response.
pub(crate) struct ReceivedCookie {
    pub(crate) name: String,
    /// Percent-decoded. Not for logs.
    pub(crate) value: String,
    pub(crate) kind: SetCookieKind,
    pub(crate) domain: Option<String>,
}

/// The cookies of a response, in their order. A line whose name is not UTF-8 is left out.
pub(crate) fn received(headers: &HeaderMap) -> Vec<ReceivedCookie> {
    let lines = headers.get_all(SET_COOKIE).iter();
    lines
        .filter_map(|line| {
            let cookie = SetCookie::of(line.as_bytes());
            let (name, value) = cookie.name_and_value()?;
            let name = std::str::from_utf8(name).ok()?;
            Some(ReceivedCookie {
                name: name.to_owned(),
                value: percent_decode(value).decode_utf8_lossy().into_owned(),
                kind: set_cookie_kind(line.as_bytes(), name)?,
                domain: super::text::domain(line).map(str::to_owned),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_read_with_value_kind_and_domain() {
        let mut headers = HeaderMap::new();
        for line in ["a=b%7Cc; Path=/; Domain=.example.com", "d=; Max-Age=0", "no pair", "e=\"x\"; HttpOnly"]
        {
            headers.append(SET_COOKIE, line.parse().unwrap());
        }
        let found: Vec<_> = received(&headers)
            .into_iter()
            .map(|cookie| (cookie.name, cookie.value, cookie.kind, cookie.domain))
            .collect();
        let domain = Some(".example.com".to_owned());
        assert_eq!(
            found,
            [
                ("a".to_owned(), "b|c".to_owned(), SetCookieKind::Sets, domain),
                ("d".to_owned(), String::new(), SetCookieKind::Clears, None),
                ("e".to_owned(), "\"x\"".to_owned(), SetCookieKind::Sets, None),
            ]
        );
    }
}
