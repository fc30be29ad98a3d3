//! Renames cookies with a security prefix for browsers on plain http.
//!
//! Browsers accept a cookie named `__Secure-..` or `__Host-..` over https only (draft-ietf-httpbis-rfc6265bis, section
//! 4.1.3). If this app is served over http, it removes the first underscore from such a cookie name of the upstream, so
//! that browsers see no prefix. Requests to the upstream get the underscore back: the full name is the salt of the key
//! that the value is encrypted with.

/// The security prefix that a name begins with.
#[must_use]
pub fn security_prefix(name: &str) -> Option<&'static str> {
    ["__Secure-", "__Host-"].into_iter().find(|prefix| name.starts_with(prefix))
}

/// The name for browsers on http, if `name` has a security prefix.
#[must_use]
pub fn without_security_prefix(name: &str) -> Option<&str> {
    name.strip_prefix('_').filter(|rest| lacks_security_prefix(rest.as_bytes()))
}

/// Whether a name, or a cookie pair that starts with it, was renamed by [`without_security_prefix`].
#[must_use]
pub fn lacks_security_prefix(name: &[u8]) -> bool {
    name.starts_with(b"_Secure-") || name.starts_with(b"_Host-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adding_an_underscore_restores_the_cookie_name() {
        for name in ["__Secure-authjs.session-token.0", "__Host-authjs.csrf-token"] {
            let renamed = without_security_prefix(name).unwrap();
            assert!(lacks_security_prefix(renamed.as_bytes()));
            assert_eq!(format!("_{renamed}"), name);
        }
    }

    #[test]
    fn security_prefix_is_the_exact_beginning_of_a_name() {
        assert_eq!(security_prefix("__Secure-authjs.session-token.0"), Some("__Secure-"));
        assert_eq!(security_prefix("__Host-authjs.csrf-token"), Some("__Host-"));
        for plain in ["authjs.session-token", "_Secure-a", "__secure-a", "x__Host-a", ""] {
            assert_eq!(security_prefix(plain), None, "{plain}");
        }
    }

    #[test]
    fn cookie_names_without_a_security_prefix_are_not_renamed() {
        for plain in ["authjs.session-token", "Secure-a", "_Secure-a", "__secure-a", "___Secure-a", ""] {
            assert_eq!(without_security_prefix(plain), None, "{plain}");
        }
    }
}
