//! Reads `upstream.headers`, a map of names and values.

use auth_proxy_rules::OptionKey;
use proc_macro2::{Delimiter, Ident, TokenTree};
use syn::{Lit, LitStr};

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
        let map = map_of_pairs(value).unwrap_or_else(|| OptionKey::Headers.example().to_owned());
        errors.at(tokens::stream(value), format!("`{key}` is a map: write `{key}: {map}`"));
        return &[];
    };
    for entry in tokens::at_commas(inner, errors) {
        block.headers.extend(header(&tokens::flatten(&entry), errors));
    }
    value.get(1..).unwrap_or_default()
}

/// The map that a list of pairs means: `[("x-tenant", "blue")]`.
fn map_of_pairs(value: &[TokenTree]) -> Option<String> {
    let list = tokens::group(value.first(), Delimiter::Bracket)?;
    let mut entries = Vec::new();
    for pair in tokens::at_commas(list, &mut Errors::default()) {
        let pair = tokens::group(pair.first(), Delimiter::Parenthesis)?;
        let parts = tokens::at_commas(pair, &mut Errors::default());
        let [name, value] = parts.as_slice() else { return None };
        let is_text = matches!(name.as_slice(), [TokenTree::Literal(literal)] if matches!(Lit::new(literal.clone()), Lit::Str(_)));
        let value = tokens::stream(value).to_string().replace("env (", "env(");
        if !is_text || !value::accepts(OptionKey::Headers, &value) {
            return None;
        }
        entries.push(format!("{}: {value}", tokens::stream(name)));
    }
    (!entries.is_empty()).then(|| format!("{{ {} }}", entries.join(", ")))
}

fn header(entry: &[TokenTree], errors: &mut Errors) -> Option<Header> {
    let colon = entry.iter().position(|token| is_punct(Some(token), ':'));
    let (name, value) = entry.split_at(colon.unwrap_or(entry.len()));
    let value = value.get(1..).unwrap_or_default();
    let Some(literal) = header_name(name, errors) else {
        if !value.is_empty() {
            // Only for the mistakes in it.
            value::read(OptionKey::Headers, value, errors);
        }
        return None;
    };
    if value.is_empty() {
        let message =
            format!("the header needs a value: write `{0}: env(\"..\")` or `{0}: \"..\"`", literal.token());
        errors.at(literal, message);
        return None;
    }
    let (value, rest) = value::read(OptionKey::Headers, value, errors);
    if !rest.is_empty() {
        errors.at(tokens::stream(rest), "expected `,` after the value");
    }
    Some(Header { name: literal, value })
}

/// The name of a header, as a string literal.
fn header_name(name: &[TokenTree], errors: &mut Errors) -> Option<LitStr> {
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
    Some(name)
}
