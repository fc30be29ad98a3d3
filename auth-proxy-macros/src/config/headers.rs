//! Reads `upstream.headers`, a map of names and values.

use auth_proxy_rules::OptionKey;
use proc_macro2::{Delimiter, Ident, TokenTree};
use syn::Lit;

use super::model::{Block, Header};
use super::value;
use crate::errors::Errors;
use crate::tokens::{self, is_punct};

/// Reads the map. Returns the tokens behind it.
pub(super) fn read<'t>(
    key: &Ident,
    value: &'t [TokenTree],
    block: &mut Block,
    errors: &mut Errors,
) -> &'t [TokenTree] {
    let Some(inner) = tokens::group(value.first(), Delimiter::Brace) else {
        let example = OptionKey::Headers.example();
        errors.at(tokens::stream(value), format!("`{key}` is a map: write `{key}: {example}`"));
        return &[];
    };
    for entry in tokens::at_commas(inner, errors) {
        block.headers.extend(header(&tokens::flatten(&entry), errors));
    }
    value.get(1..).unwrap_or_default()
}

fn header(entry: &[TokenTree], errors: &mut Errors) -> Option<Header> {
    let colon = entry.iter().position(|token| is_punct(Some(token), ':'));
    let (name, value) = entry.split_at(colon.unwrap_or(entry.len()));
    let value = value.get(1..).unwrap_or_default();
    let literal = match name {
        [TokenTree::Literal(literal)] => literal,
        [TokenTree::Literal(literal), equals, ..] if is_punct(Some(equals), '=') => {
            errors.at(equals, format!("write `{literal}: ..` with a colon"));
            return None;
        }
        _ => {
            let text: String = name.iter().map(ToString::to_string).collect();
            errors.at(tokens::stream(name), format!("a header name is a string: write `\"{text}\": ..`"));
            return None;
        }
    };
    let Lit::Str(name) = Lit::new(literal.clone()) else {
        errors.at(literal, "a header name is a string, such as `\"x-api-key\"`");
        return None;
    };
    if value.is_empty() {
        let message =
            format!("the header needs a value: write `{literal}: env(\"..\")` or `{literal}: \"..\"`");
        errors.at(literal, message);
        return None;
    }
    let (value, rest) = value::read(OptionKey::Headers, value, errors);
    if !rest.is_empty() {
        errors.at(tokens::stream(rest), "expected `,` after the value");
    }
    Some(Header { name, value })
}
