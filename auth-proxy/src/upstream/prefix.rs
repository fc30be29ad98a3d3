use auth_proxy_rules::is_lowered;
use http::header::{COOKIE, Entry};
use http::{HeaderMap, HeaderValue};

/// Gives every cookie of a request the prefix back that [`Rewrite`](super::Rewrite) took off its name. One
/// that has its prefix was not set through here, and must not stand in for one that was: it goes no further.
pub(crate) fn raise_cookies(headers: &mut HeaderMap) {
    let Entry::Occupied(mut lines) = headers.entry(COOKIE) else { return };
    let mut is_empty = true;
    for line in lines.iter_mut() {
        if let Some(raised) = raised_line(line) {
            *line = raised;
        }
        is_empty &= line.is_empty();
    }
    if is_empty {
        lines.remove_entry_mult();
    }
}

fn raised_line(line: &HeaderValue) -> Option<HeaderValue> {
    let mut raised = Vec::with_capacity(line.len() + 8);
    for pair in line.as_bytes().split(|byte| *byte == b';').map(<[u8]>::trim_ascii) {
        if pair.strip_prefix(b"_").is_some_and(is_lowered) {
            continue;
        }
        if !raised.is_empty() {
            raised.extend_from_slice(b"; ");
        }
        // One underscore is all that is missing: the rest passes byte for byte.
        if is_lowered(pair) {
            raised.push(b'_');
        }
        raised.extend_from_slice(pair);
    }
    let mut raised = HeaderValue::from_bytes(&raised).ok()?;
    raised.set_sensitive(line.is_sensitive());
    Some(raised)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_come_back() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, "_Host-authjs.csrf-token=_Host-a;authjs.csrf-token=c; x=d".parse().unwrap());
        headers.append(COOKIE, HeaderValue::from_bytes(b" _Secure-a.0 = \"\xff\"").unwrap());
        raise_cookies(&mut headers);
        let lines: Vec<_> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
        let whole: [&[u8]; 2] =
            [b"__Host-authjs.csrf-token=_Host-a; authjs.csrf-token=c; x=d", b"__Secure-a.0 = \"\xff\""];
        assert_eq!(lines, whole);
    }
    #[test]
    fn a_name_that_has_its_prefix_is_somebody_elses() {
        let raised = |line: &'static str| {
            let mut headers: HeaderMap = [(COOKIE, HeaderValue::from_static(line))].into_iter().collect();
            raise_cookies(&mut headers);
            headers.get(COOKIE).map(|line| line.to_str().unwrap().to_owned())
        };
        for (line, expected) in [
            ("__Secure-a=tossed; _Secure-a=own", Some("__Secure-a=own")),
            ("_Secure-a=own;__Secure-a=tossed; b=c", Some("__Secure-a=own; b=c")),
            ("__Host-a=tossed", None),
            ("__Secure-a.0=x; __Host-b", None),
            // Not these prefixes: nothing to browsers, and nothing here.
            (
                "__secure-a=b; ___Secure-a=b; =__Secure-a=b",
                Some("__secure-a=b; ___Secure-a=b; =__Secure-a=b"),
            ),
        ] {
            assert_eq!(raised(line).as_deref(), expected, "{line}");
        }
    }
}
