//! Reads `upstream.fetch`, a Rust expression.

use auth_proxy_rules::OptionKey;
use proc_macro2::{Ident, Punct, Spacing, TokenTree};
use syn::Expr;

use super::model::Block;
use crate::errors::Errors;
use crate::tokens::{self, entry_key};

/// Reads the expression.
pub(super) fn read(key: &Ident, value: &[TokenTree], block: &mut Block, errors: &mut Errors) {
    if let [TokenTree::Ident(env), TokenTree::Group(_)] = value
        && env == "env"
    {
        let message =
            format!("`{key}` is a client and not a text: write an expression such as `my_client()`");
        return errors.at(tokens::stream(value), message);
    }
    match syn::parse2::<Expr>(tokens::stream(value)) {
        Ok(expression) => block.fetch = Some(expression),
        Err(_) => {
            let example = OptionKey::Fetch.example();
            errors.at(
                tokens::stream(value),
                format!("`{key}` takes a Rust expression, such as `{key}: {example}`"),
            );
        }
    }
}

/// Whether this is the entry of `upstream.fetch`.
pub(super) fn is_entry(entry: &[TokenTree]) -> bool {
    entry_key(entry).is_some_and(|key| key == OptionKey::Fetch.key())
}

/// Joins an expression that was split at its commas, as in `fetch: f::<A, B>()`. The entry is extended until it is a
/// valid expression or another key follows.
pub(super) fn join(
    entry: &mut Vec<TokenTree>,
    next: &mut std::iter::Peekable<std::vec::IntoIter<Vec<TokenTree>>>,
) {
    while !is_expression(entry) {
        let Some(more) = next.next_if(|next| entry_key(next).is_none()) else { return };
        entry.push(TokenTree::Punct(Punct::new(',', Spacing::Alone)));
        entry.extend(more);
    }
}

fn is_expression(entry: &[TokenTree]) -> bool {
    entry.get(2..).is_some_and(|value| syn::parse2::<Expr>(tokens::stream(value)).is_ok())
}
