//! The rule of `sign_in_limit.account_fields`.

use crate::invalid_value::InvalidValue;

/// The fields of sign-in forms that usually have the account.
pub(crate) const ACCOUNT_FIELDS: [&str; 7] =
    ["email", "username", "login", "identifier", "phone", "phoneNumber", "phone_number"];

/// Checks the names of the fields that have an account.
pub(crate) fn account_fields(items: &[&str]) -> Result<Vec<String>, InvalidValue> {
    let mut names: Vec<String> = Vec::new();
    for name in items {
        // A form writes the items of a list as `name[]`.
        if name.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '[' | ']')) {
            return Err(InvalidValue::with_part(
                "the name of a field has no white space and no brackets",
                *name,
            ));
        }
        if name.to_ascii_lowercase().contains("password") {
            return Err(InvalidValue::with_part(
                "this field has the password and not the account: remove it",
                *name,
            ));
        }
        if names.iter().any(|known| known == name) {
            return Err(InvalidValue::with_part("this field is named twice: remove one", *name));
        }
        names.push((*name).to_owned());
    }
    if names.is_empty() {
        return Err(InvalidValue::new("expected the names of form fields, such as `[email, username]`"));
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_names_of_accounts() {
        assert_eq!(account_fields(&["email", "kunden-nummer"]).unwrap(), ["email", "kunden-nummer"]);
        assert_eq!(account_fields(&ACCOUNT_FIELDS).unwrap(), ACCOUNT_FIELDS);
        for bad in [&[][..], &["a b"], &["a[]"], &["newPassword"], &["email", "email"], &["a\u{7f}"]] {
            assert!(account_fields(bad).is_err(), "{bad:?}");
        }
    }
}
