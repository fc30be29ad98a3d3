//! Rules for headers and cookie names.

use http::{HeaderName, HeaderValue};

use crate::invalid_value::InvalidValue;

/// Hop-by-hop headers: they belong to one connection and are never forwarded (RFC 9110, section 7.6.1; RFC 7540,
/// section 3.2.1).
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

/// Whether a header name in lower case is hop-by-hop.
#[must_use]
pub fn is_hop_by_hop(name: &str) -> bool {
    HOP_BY_HOP.contains(&name)
}

/// Checks the name of an extra header and returns it in lower case.
///
/// # Errors
/// When the text is no header name, or the header must not be configured.
pub fn header_name(text: &str) -> Result<String, InvalidValue> {
    let name = HeaderName::from_bytes(text.as_bytes())
        .map_err(|_| InvalidValue::with_part("not a header name: letters, digits and `-` only", text))?;
    let name = name.as_str();
    if is_hop_by_hop(name) {
        return Err(InvalidValue::with_part(
            "this header belongs to a single connection and cannot be configured",
            name,
        ));
    }
    Err(match name {
        "host" => InvalidValue::new("the `Host` header is set by `upstream.host`"),
        "content-length" => {
            InvalidValue::new("`Content-Length` follows from the body and cannot be configured")
        }
        "cookie" => InvalidValue::new("`Cookie` carries the visitor's own cookies and cannot be configured"),
        _ => return Ok(name.to_owned()),
    })
}

/// Checks the value of an extra header.
///
/// # Errors
/// When the text is no header value. The message never contains it: the value may be a secret.
pub fn header_value(text: &str) -> Result<(), InvalidValue> {
    if text.trim() != text {
        return Err(InvalidValue::new("a header value has no white space at its ends"));
    }
    if text.is_ascii() && HeaderValue::from_str(text).is_ok() {
        Ok(())
    } else {
        Err(InvalidValue::new("a header value holds visible ASCII characters only"))
    }
}

/// Checks a cookie name: a token of RFC 6265, section 4.1.1.
///
/// # Errors
/// When the name is empty or contains a character that is not allowed.
pub fn cookie_name(text: &str) -> Result<String, InvalidValue> {
    if text.is_empty() {
        return Err(InvalidValue::new("a cookie name is not empty"));
    }
    let separator = |c: char| "()<>@,;:\\\"/[]?={} \t".contains(c);
    if let Some(c) = text.chars().find(|c| !c.is_ascii_graphic() || separator(*c)) {
        return Err(InvalidValue::with_part(
            "a cookie name holds no such character",
            c.escape_default().to_string(),
        ));
    }
    Ok(text.to_owned())
}

/// Whether a header in source has a credential: the header is `Authorization`, or the text looks like a key or token.
#[must_use]
pub fn is_credential(name: &str, text: &str) -> bool {
    const SCHEMES: [&str; 4] = ["bearer ", "basic ", "token ", "apikey "];
    /// Keys of Stripe and others, of GitHub, of Slack, of AWS, and JSON web tokens.
    const KEYS: [&str; 9] =
        ["sk_", "sk-", "pk_live_", "ghp_", "github_pat_", "xoxb-", "xoxp-", "AKIA", "eyJ"];
    let lower = text.to_ascii_lowercase();
    name.eq_ignore_ascii_case("authorization")
        || SCHEMES.iter().any(|scheme| lower.starts_with(scheme))
        || KEYS.iter().any(|key| text.starts_with(key) && text.len() > key.len() + 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_and_malformed_header_names_are_refused() {
        assert_eq!(header_name("X-Api-Key").as_deref(), Ok("x-api-key"));
        for bad in ["", "a b", "a:b", "ä", "Host", "COOKIE", "content-length", "Connection", "te", "upgrade"]
        {
            assert!(header_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn header_values_other_than_visible_ascii_are_refused() {
        assert!(header_value("s3cret, yes").is_ok());
        for bad in ["a\nb", "a\r\nX: y", "\u{7f}", " a", "a\t", "ä"] {
            assert!(header_value(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn cookie_names_with_separators_are_refused() {
        assert!(cookie_name("__Secure-authjs.session-token").is_ok());
        for bad in ["", "a b", "a=b", "a;b", "a,b", "ä", "a\tb", "\"a\""] {
            assert!(cookie_name(bad).is_err(), "{bad}");
        }
    }
}
