//! What the header member `typ` says that a token is for (RFC 8725, section 3.11).

/// Whether a token with this `typ` may be a session: a JWT without a purpose of its own, or an access token (RFC 9068,
/// section 2.1). The issuer signs other tokens with the same keys, such as logout tokens.
pub(super) fn is_access_token(typ: &str) -> bool {
    is_one_of(typ, &["JWT", "at+jwt"])
}

/// Whether a token with this `typ` may be a logout token: one with the recommended type (OpenID Connect Back-Channel Logout
/// 1.0, section 2.4), or a JWT without a purpose of its own, as of Keycloak before version 25. Its claims tell the rest.
pub(super) fn may_be_logout_token(typ: &str) -> bool {
    is_one_of(typ, &["JWT", LOGOUT])
}

/// Whether a token with this `typ` tells of an event: a logout token, or a security event token (RFC 8417, section 2.3).
pub(super) fn is_event(typ: &str) -> bool {
    is_one_of(typ, &[LOGOUT, "secevent+jwt"])
}

const LOGOUT: &str = "logout+jwt";

/// Media types are compared without case, and the prefix may be left out (RFC 7515, section 4.1.9).
fn is_one_of(typ: &str, names: &[&str]) -> bool {
    let typ = match typ.split_at_checked(12) {
        Some((prefix, typ)) if prefix.eq_ignore_ascii_case("application/") => typ,
        _ => typ,
    };
    names.iter().any(|name| typ.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_other_tokens_are_no_access_tokens() {
        for typ in ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "APPLICATION/jwt"] {
            assert!(is_access_token(typ) && !is_event(typ), "{typ}");
        }
        for typ in [
            "",
            "application/",
            "logout+jwt",
            "application/logout+jwt",
            "jwt ",
            "éééééééjwt",
            "application/application/jwt",
        ] {
            assert!(!is_access_token(typ), "{typ}");
        }
    }

    #[test]
    fn type_of_a_logout_token_is_read_without_case_and_prefix() {
        for typ in ["logout+jwt", "LOGOUT+jwt", "application/logout+jwt", "Application/Logout+JWT"] {
            assert!(may_be_logout_token(typ) && is_event(typ), "{typ}");
        }
        assert!(may_be_logout_token("JWT") && may_be_logout_token("application/jwt"));
        for typ in ["", "at+jwt", "logout", "logout+jwt ", "secevent+jwt", "text/logout+jwt"] {
            assert!(!may_be_logout_token(typ), "{typ}");
        }
        assert!(is_event("secevent+jwt") && is_event("application/SECEVENT+jwt"));
    }
}
