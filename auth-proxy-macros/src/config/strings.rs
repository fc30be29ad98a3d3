//! The text of string literals.

use proc_macro2::TokenTree;
use syn::Lit;

/// The text of a single string literal.
pub(super) fn string(tokens: &[TokenTree]) -> Option<String> {
    match tokens {
        [TokenTree::Literal(literal)] => match Lit::new(literal.clone()) {
            Lit::Str(text) if text.suffix().is_empty() => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

/// The text of the only string literal at any depth.
pub(super) fn only_string(tokens: &[TokenTree]) -> Option<String> {
    let mut texts = Vec::new();
    collect_strings(tokens, &mut texts);
    // A text with braces belongs to `format!`.
    match texts.as_slice() {
        [text] if !text.contains(['{', '"', '\\']) => Some(text.clone()),
        _ => None,
    }
}

fn collect_strings(tokens: &[TokenTree], texts: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                collect_strings(&group.stream().into_iter().collect::<Vec<_>>(), texts);
            }
            token => texts.extend(string(std::slice::from_ref(token))),
        }
    }
}
