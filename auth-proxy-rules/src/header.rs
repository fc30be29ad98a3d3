use http::{HeaderName, HeaderValue};

use crate::Bad;

/// Headers that belong to one connection (RFC 9110, section 7.6.1; RFC 7540, section 3.2.1) and never
/// travel on.
const HOP_BY_HOP: [&str; 10] = [
    "connection",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Whether a header, in lower case, belongs to one connection only.
#[must_use]
pub fn is_hop_by_hop(name: &str) -> bool {
    HOP_BY_HOP.contains(&name)
}

/// Checks the name of an extra header and returns it in lower case.
///
/// # Errors
/// When the name is not a header name or must not be configured.
pub fn header_name(text: &str) -> Result<String, Bad> {
    let name = HeaderName::from_bytes(text.as_bytes())
        .map_err(|_| Bad::part("not a header name: letters, digits and `-` only", text))?;
    let name = name.as_str();
    if is_hop_by_hop(name) {
        return Err(Bad::part("this header belongs to a single connection and cannot be configured", name));
    }
    Err(match name {
        "host" => Bad::new("the `Host` header is set by `upstream.host`"),
        "content-length" => Bad::new("`Content-Length` follows from the body and cannot be configured"),
        "cookie" => Bad::new("`Cookie` carries the visitor's own cookies and cannot be configured"),
        _ => return Ok(name.to_owned()),
    })
}

/// Checks the value of an extra header.
///
/// # Errors
/// When the value is not a header value. The value itself is never part of the message.
pub fn header_value(text: &str) -> Result<(), Bad> {
    if text.trim() != text {
        return Err(Bad::new("a header value has no white space at its ends"));
    }
    if text.is_ascii() && HeaderValue::from_str(text).is_ok() {
        Ok(())
    } else {
        Err(Bad::new("a header value holds visible ASCII characters only"))
    }
}

/// Checks a cookie name: a token of RFC 6265, section 4.1.1.
///
/// # Errors
/// When the name is empty or holds a character that no cookie name may hold.
pub fn cookie_name(text: &str) -> Result<String, Bad> {
    if text.is_empty() {
        return Err(Bad::new("a cookie name is not empty"));
    }
    let separator = |c: char| "()<>@,;:\\\"/[]?={} \t".contains(c);
    if let Some(c) = text.chars().find(|c| !c.is_ascii_graphic() || separator(*c)) {
        return Err(Bad::part("a cookie name holds no such character", c.escape_default().to_string()));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_names() {
        assert_eq!(header_name("X-Api-Key").as_deref(), Ok("x-api-key"));
        for bad in ["", "a b", "a:b", "ä", "Host", "COOKIE", "content-length", "Connection", "te", "upgrade"]
        {
            assert!(header_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn header_values() {
        assert!(header_value("s3cret, yes").is_ok());
        for bad in ["a\nb", "a\r\nX: y", "\u{7f}", " a", "a\t", "ä"] {
            assert!(header_value(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn cookie_names() {
        assert!(cookie_name("__Secure-authjs.session-token").is_ok());
        for bad in ["", "a b", "a=b", "a;b", "a,b", "ä", "a\tb", "\"a\""] {
            assert!(cookie_name(bad).is_err(), "{bad}");
        }
    }
}
