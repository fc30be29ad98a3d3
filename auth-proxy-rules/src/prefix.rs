//! Cookie prefixes where browsers come over plain http.
//!
//! Browsers keep a cookie named `__Secure-..` or `__Host-..` only when it is set over https
//! (draft-ietf-httpbis-rfc6265bis, section 4.1.3). Where this app is served over http, such a cookie of
//! the upstream travels with one underscore less, which means nothing to them, and gets it back on the
//! way up: the name is the salt of the key that the value is encrypted with.

/// The name for a browser on http, of a name with a prefix.
#[must_use]
pub fn lowered(name: &str) -> Option<&str> {
    name.strip_prefix('_').filter(|rest| is_lowered(rest.as_bytes()))
}

/// Whether this is a name, or a cookie with a name, that lacks an underscore.
#[must_use]
pub fn is_lowered(name: &[u8]) -> bool {
    name.starts_with(b"_Secure-") || name.starts_with(b"_Host-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for name in ["__Secure-authjs.session-token.0", "__Host-authjs.csrf-token"] {
            let low = lowered(name).unwrap();
            assert!(is_lowered(low.as_bytes()));
            assert_eq!(format!("_{low}"), name);
        }
        for plain in ["authjs.session-token", "Secure-a", "_Secure-a", "__secure-a", "___Secure-a", ""] {
            assert_eq!(lowered(plain), None, "{plain}");
        }
    }
}
