//! Splits token trees at commas and recognises keys, for both macros.

use proc_macro2::{Delimiter, Ident, Spacing, TokenStream, TokenTree};

use crate::errors::Errors;

/// Splits the inside of a block at its top-level commas and drops empty entries.
///
/// Each entry is then read on its own, so that a mistake in one does not hide mistakes in the next.
pub(crate) fn at_commas(tokens: TokenStream, errors: &mut Errors) -> Vec<Vec<TokenTree>> {
    let mut pieces = vec![Vec::new()];
    for token in tokens {
        match &token {
            TokenTree::Punct(punct) if matches!(punct.as_char(), ',' | ';') => {
                if punct.as_char() == ';' {
                    errors.at(punct, "entries are separated by commas: write `,`");
                }
                if pieces.last().is_none_or(Vec::is_empty) {
                    errors.at(punct, "expected an entry before this");
                } else {
                    pieces.push(Vec::new());
                }
            }
            _ => pieces.last_mut().into_iter().for_each(|piece| piece.push(token.clone())),
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// Splits at the commas outside of angle brackets and drops empty pieces. The `>` of `->` closes no bracket.
pub(crate) fn at_commas_outside_angles(tokens: &[TokenTree]) -> Vec<&[TokenTree]> {
    let mut depth = 0_usize;
    let mut after_dash = false;
    tokens
        .split(|token| {
            let c = punct(token);
            match c {
                Some('<') => depth += 1,
                Some('>') if !after_dash => depth = depth.saturating_sub(1),
                _ => {}
            }
            after_dash = c == Some('-');
            c == Some(',') && depth == 0
        })
        .filter(|piece| !piece.is_empty())
        .collect()
}

pub(crate) fn punct(token: &TokenTree) -> Option<char> {
    match token {
        TokenTree::Punct(punct) => Some(punct.as_char()),
        _ => None,
    }
}

pub(crate) fn is_punct(token: Option<&TokenTree>, c: char) -> bool {
    token.and_then(punct) == Some(c)
}

/// Whether the token is `c` directly before another sign, as in `::`. In `fetch: ::path()` a space follows the first
/// colon.
pub(crate) fn is_joint(token: &TokenTree, c: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == c && punct.spacing() == Spacing::Joint)
}

/// The tokens inside a group with this delimiter.
pub(crate) fn group(token: Option<&TokenTree>, delimiter: Delimiter) -> Option<TokenStream> {
    match token {
        Some(TokenTree::Group(group)) if group.delimiter() == delimiter => Some(group.stream()),
        // A `macro_rules!` fragment arrives in an invisible group.
        Some(TokenTree::Group(outer)) if outer.delimiter() == Delimiter::None => {
            let mut inner = outer.stream().into_iter();
            match (inner.next(), inner.next()) {
                (only @ Some(_), None) => group(only.as_ref(), delimiter),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Replaces the invisible groups around `macro_rules!` fragments by their tokens.
pub(crate) fn flatten(tokens: &[TokenTree]) -> Vec<TokenTree> {
    tokens
        .iter()
        .flat_map(|token| match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                flatten(&group.stream().into_iter().collect::<Vec<_>>())
            }
            token => vec![token.clone()],
        })
        .collect()
}

pub(crate) fn stream(tokens: &[TokenTree]) -> TokenStream {
    tokens.iter().cloned().collect()
}

/// The key, if these tokens start with `key:`. The path `key::name` is not a key.
pub(crate) fn entry_key(tokens: &[TokenTree]) -> Option<&Ident> {
    match tokens {
        [TokenTree::Ident(_), colon, next, ..] if is_joint(colon, ':') && is_punct(Some(next), ':') => None,
        [TokenTree::Ident(key), colon, ..] if is_punct(Some(colon), ':') => Some(key),
        _ => None,
    }
}

/// How many tokens there are before the next entry, at least one if there are any.
pub(crate) fn before_next_entry(tokens: &[TokenTree]) -> usize {
    (1..tokens.len())
        .find(|at| tokens.get(*at..).is_some_and(|rest| entry_key(rest).is_some()))
        .unwrap_or(tokens.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(source: &str) -> Vec<TokenTree> {
        source.parse::<TokenStream>().unwrap().into_iter().collect()
    }

    #[test]
    fn commas_inside_angle_brackets_do_not_split() {
        for (source, pieces) in [
            ("A, B", 2),
            ("A<B, C>, D", 2),
            ("A<fn() -> B, C>, D", 2),
            ("A<B<C, D>, E>, F,", 2),
            ("", 0),
            (",", 0),
        ] {
            assert_eq!(at_commas_outside_angles(&tokens(source)).len(), pieces, "{source}");
        }
    }

    #[test]
    fn path_is_not_read_as_a_key() {
        for (source, key) in [
            ("a: b", Some("a")),
            ("a: ::b", Some("a")),
            ("a:", Some("a")),
            ("a::b", None),
            ("a", None),
            ("\"a\": b", None),
        ] {
            let key = key.map(str::to_owned);
            assert_eq!(entry_key(&tokens(source)).map(Ident::to_string), key, "{source}");
        }
    }

    #[test]
    fn option_value_ends_before_the_next_entry() {
        for (source, length) in [("a.b c: d", 3), ("a::b c", 5), ("a: b", 3), ("a", 1), ("", 0)] {
            assert_eq!(before_next_entry(&tokens(source)), length, "{source}");
        }
    }
}
