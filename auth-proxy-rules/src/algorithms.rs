//! The rule of `jwks.algorithms`.

use crate::choices::TokenFormat;
use crate::invalid_value::InvalidValue;
use crate::suggest::nearest;

/// The default of `jwks.algorithms`.
pub(crate) const DEFAULT_ALGORITHMS: [TokenFormat; 3] =
    [TokenFormat::Eddsa, TokenFormat::Es256, TokenFormat::Rs256];

const ALGORITHMS: [TokenFormat; 9] = [
    TokenFormat::Eddsa,
    TokenFormat::Es256,
    TokenFormat::Es384,
    TokenFormat::Rs256,
    TokenFormat::Rs384,
    TokenFormat::Rs512,
    TokenFormat::Ps256,
    TokenFormat::Ps384,
    TokenFormat::Ps512,
];

/// Checks the names of signature algorithms with public keys.
pub(crate) fn signature_algorithms(items: &[&str]) -> Result<Vec<TokenFormat>, InvalidValue> {
    if items.is_empty() {
        return Err(InvalidValue::new(
            "without an algorithm every token is refused: name at least one, such as `es256`",
        ));
    }
    let mut found = Vec::new();
    for text in items {
        let algorithm = signature_algorithm(text)?;
        if found.contains(&algorithm) {
            return Err(InvalidValue::with_part("this algorithm is named twice: remove one", *text));
        }
        found.push(algorithm);
    }
    Ok(found)
}

fn signature_algorithm(text: &str) -> Result<TokenFormat, InvalidValue> {
    let names = ALGORITHMS.map(|algorithm| algorithm.to_string());
    match text.parse() {
        Ok(algorithm) if ALGORITHMS.contains(&algorithm) => return Ok(algorithm),
        Ok(TokenFormat::Hs256 | TokenFormat::Hs384 | TokenFormat::Hs512) => {
            return Err(InvalidValue::with_part(
                "a shared secret is never published: name an algorithm with public keys, such as `es256`",
                text,
            ));
        }
        // The advice for an algorithm that is not supported.
        Err(error) if error.message().contains("is not supported") => return Err(error),
        _ => {}
    }
    let near = nearest(&text.to_ascii_lowercase(), names.iter().map(String::as_str));
    let near = near.map(|name| format!(" (nearest: `{name}`)")).unwrap_or_default();
    let list = names.map(|name| format!("`{name}`")).join(", ");
    Err(InvalidValue::with_part(format!("expected signature algorithms of {list}{near}"), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_algorithms_are_named_in_lower_case() {
        assert_eq!(
            signature_algorithms(&["es256", "ps512"]),
            Ok(vec![TokenFormat::Es256, TokenFormat::Ps512])
        );
        assert_eq!(
            signature_algorithms(
                &DEFAULT_ALGORITHMS.map(|name| name.to_string()).each_ref().map(String::as_str)
            ),
            Ok(DEFAULT_ALGORITHMS.to_vec())
        );
    }

    #[test]
    fn algorithms_without_public_keys_and_repeated_ones_are_refused() {
        for (items, says) in [
            (&[][..], "at least one"),
            (&["hs256"], "never published"),
            (&["es256", "es256"], "named twice"),
            (&["es512"], "is not supported"),
            (&["EdDSA"], "nearest: `eddsa`"),
            (&["none"], "expected signature algorithms"),
            (&["encrypted"], "expected signature algorithms"),
            (&["jwks"], "expected signature algorithms"),
        ] {
            let error = signature_algorithms(items).unwrap_err();
            assert!(error.message().contains(says), "{items:?}: {}", error.message());
        }
    }
}
