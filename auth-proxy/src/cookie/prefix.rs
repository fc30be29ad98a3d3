//! The `__Secure-` and `__Host-` prefixes of cookie names: removes them, and restores them in requests to the upstream.

use auth_proxy_rules::{lacks_security_prefix, security_prefix};
use http::header::{COOKIE, Entry};
use http::{HeaderMap, HeaderValue};

use super::text::pairs;

/// The name of a cookie without its prefix.
pub(crate) fn without_prefix(name: &str) -> &str {
    security_prefix(name).and_then(|prefix| name.strip_prefix(prefix)).unwrap_or(name)
}

/// Restores the prefix of every cookie name that [`CookieAdapter`](super::CookieAdapter) shortened. A cookie that still
/// has its prefix was not set through this app. It is dropped, because it must not replace a cookie that was.
pub(crate) fn restore_prefixes(headers: &mut HeaderMap) {
    let Entry::Occupied(mut lines) = headers.entry(COOKIE) else { return };
    let mut is_empty = true;
    for line in lines.iter_mut() {
        if let Some(restored) = restored_line(line) {
            *line = restored;
        }
        is_empty &= line.is_empty();
    }
    if is_empty {
        lines.remove_entry_mult();
    }
}

fn restored_line(line: &HeaderValue) -> Option<HeaderValue> {
    let mut restored = Vec::with_capacity(line.len() + 8);
    for pair in pairs(line.as_bytes()).map(<[u8]>::trim_ascii) {
        if pair.strip_prefix(b"_").is_some_and(lacks_security_prefix) {
            continue;
        }
        if !restored.is_empty() {
            restored.extend_from_slice(b"; ");
        }
        // Only one underscore is missing. The rest is copied byte for byte.
        if lacks_security_prefix(pair) {
            restored.push(b'_');
        }
        restored.extend_from_slice(pair);
    }
    let mut restored = HeaderValue::from_bytes(&restored).ok()?;
    restored.set_sensitive(line.is_sensitive());
    Some(restored)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortened_cookie_prefixes_are_restored() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, "_Host-authjs.csrf-token=_Host-a;authjs.csrf-token=c; x=d".parse().unwrap());
        headers.append(COOKIE, HeaderValue::from_bytes(b" _Secure-a.0 = \"\xff\"").unwrap());
        restore_prefixes(&mut headers);
        let lines: Vec<_> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
        let whole: [&[u8]; 2] =
            [b"__Host-authjs.csrf-token=_Host-a; authjs.csrf-token=c; x=d", b"__Secure-a.0 = \"\xff\""];
        assert_eq!(lines, whole);
    }

    #[test]
    fn cookie_that_still_has_its_prefix_is_dropped() {
        let restored = |line: &'static str| {
            let mut headers: HeaderMap = [(COOKIE, HeaderValue::from_static(line))].into_iter().collect();
            restore_prefixes(&mut headers);
            headers.get(COOKIE).map(|line| line.to_str().unwrap().to_owned())
        };
        for (line, expected) in [
            ("__Secure-a=tossed; _Secure-a=own", Some("__Secure-a=own")),
            ("_Secure-a=own;__Secure-a=tossed; b=c", Some("__Secure-a=own; b=c")),
            ("__Host-a=tossed", None),
            ("__Secure-a.0=x; __Host-b", None),
            // Names that do not begin with exactly such a prefix stay.
            (
                "__secure-a=b; ___Secure-a=b; =__Secure-a=b",
                Some("__secure-a=b; ___Secure-a=b; =__Secure-a=b"),
            ),
        ] {
            assert_eq!(restored(line).as_deref(), expected, "{line}");
        }
    }
}
