//! The rule of `session.claims`.

use crate::invalid_value::InvalidValue;

/// Claims about the token itself (RFC 7519, sections 4.1.4 to 4.1.7). They do not describe the user.
const CLAIMS_OF_THE_TOKEN: [&str; 4] = ["exp", "iat", "nbf", "jti"];

/// Checks the names of claims.
pub(crate) fn claim_names(items: &[&str]) -> Result<Vec<String>, InvalidValue> {
    let mut names: Vec<String> = Vec::new();
    for name in items {
        if *name == "sessionToken" {
            return Err(InvalidValue::new(
                "`sessionToken` is the value of the session cookie, which `session.user` does not show: remove it",
            ));
        }
        if CLAIMS_OF_THE_TOKEN.contains(name) {
            return Err(InvalidValue::new(format!(
                "`{name}` describes the token and not the user, so `session.user` does not show it: remove it, and read \
                 it from `Token`"
            )));
        }
        if name.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(InvalidValue::with_part("the name of a claim has no white space in it", *name));
        }
        if names.iter().any(|known| known == name) {
            return Err(InvalidValue::with_part("this claim is named twice: remove one", *name));
        }
        names.push((*name).to_owned());
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claim_names_may_be_words_or_urls() {
        assert_eq!(
            claim_names(&["role", "https://example.com/plan"]).unwrap(),
            ["role", "https://example.com/plan"]
        );
        assert_eq!(claim_names(&[]).unwrap(), [""; 0]);
    }

    #[test]
    fn token_claims_and_repeated_or_malformed_names_are_refused() {
        for bad in [
            &["exp"][..],
            &["role", "jti"],
            &["sessionToken"],
            &["role", "role"],
            &["two words"],
            &["a\u{7f}"],
        ] {
            assert!(claim_names(bad).is_err(), "{bad:?}");
        }
    }
}
