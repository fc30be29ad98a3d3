use crate::Bad;

/// What says when a token is good and which it is (RFC 7519, sections 4.1.4 to 4.1.7): nothing of its user.
const OF_THE_TOKEN: [&str; 4] = ["exp", "iat", "nbf", "jti"];

/// The names of claims, with commas between.
pub(crate) fn claims(text: &str) -> Result<Vec<String>, Bad> {
    let mut names: Vec<String> = Vec::new();
    for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        if name == "sessionToken" {
            return Err(Bad::new("`sessionToken` is what the cookie holds, and stays there: remove it"));
        }
        if OF_THE_TOKEN.contains(&name) {
            let message = format!(
                "`{name}` says when and which token this is, and is not shown in `session.user`: remove it, and read \
                 it from `Token`"
            );
            return Err(Bad::new(message));
        }
        if name.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(Bad::part("the name of a claim has no white space in it", name));
        }
        if names.iter().any(|known| known == name) {
            return Err(Bad::part("this claim is named twice: remove one", name));
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_whole_and_said_once() {
        assert_eq!(
            claims(" role , https://example.com/plan,").unwrap(),
            ["role", "https://example.com/plan"]
        );
        assert_eq!(claims("").unwrap(), [""; 0]);
        for bad in ["exp", "role,jti", "sessionToken", "role,role", "two words", "a\u{7f}"] {
            assert!(claims(bad).is_err(), "{bad}");
        }
    }
}
