use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

use crate::errors::Errors;

/// Splits the inside of a block at its top-level commas, dropping empty pieces at the end. This is
/// where reading goes on after a mistake.
pub(super) fn at_commas(tokens: TokenStream, errors: &mut Errors) -> Vec<Vec<TokenTree>> {
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

/// Splits type arguments at the commas outside of angle brackets.
pub(super) fn type_arguments(tokens: &[TokenTree]) -> Vec<&[TokenTree]> {
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

pub(super) fn punct(token: &TokenTree) -> Option<char> {
    match token {
        TokenTree::Punct(punct) => Some(punct.as_char()),
        _ => None,
    }
}

pub(super) fn is_punct(token: Option<&TokenTree>, c: char) -> bool {
    token.and_then(punct) == Some(c)
}

/// The first half of a sign such as `::`: `fetch: ::path()` has a space between.
pub(super) fn is_joint(token: &TokenTree, c: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == c && punct.spacing() == Spacing::Joint)
}

/// The inside of a group of this kind.
pub(super) fn group(token: Option<&TokenTree>, delimiter: Delimiter) -> Option<TokenStream> {
    match token {
        Some(TokenTree::Group(group)) if group.delimiter() == delimiter => Some(group.stream()),
        // A value passed through a `macro_rules!` fragment comes in an invisible group.
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

/// Takes the invisible groups off that `macro_rules!` fragments come in.
pub(super) fn flatten(tokens: &[TokenTree]) -> Vec<TokenTree> {
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

pub(super) fn stream(tokens: &[TokenTree]) -> TokenStream {
    tokens.iter().cloned().collect()
}
