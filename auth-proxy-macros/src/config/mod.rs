//! `auth_proxy!` in three phases: `parse` reads the tokens into a `model`, `validate` checks it, `expand` writes the
//! items.
//!
//! Each phase works with the parts that the phase before could read. A declaration with mistakes still declares its
//! type, so that code which uses the type gives no further errors.

mod comments;
mod correction;
mod derives;
mod docs;
mod editor;
mod entries;
mod env;
mod expand;
mod expected;
mod expression;
mod fetch;
mod headers;
mod key;
mod keys;
mod list;
mod literal;
mod model;
mod parse;
mod scan;
mod secrets;
mod store;
mod strings;
mod suspicions;
mod type_argument;
mod type_arguments;
mod typescript;
mod validate;
mod value;
mod variable;
mod variables;

#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;

use crate::caller::is_editor;
use crate::errors::Errors;
use crate::warnings::take_expectation;

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let written = is_editor().then(|| input.clone());
    let Some(mut declaration) = parse::declaration(input.clone(), &mut errors) else {
        typescript::suggest(input, None, &mut errors);
        return errors.into_tokens();
    };
    let draft = validate::check(&declaration, &mut errors);
    if !errors.is_empty() {
        typescript::suggest(input, Some(&declaration), &mut errors);
    }
    // In front of the other items: rust-analyzer completes at the same offset in the expansions with and without the
    // unfinished word, and the other items repeat the word as text.
    let mut output = TokenStream::new();
    output.extend(written.map(|written| editor::items(&declaration.krate, written)));
    let warnings = suspicions::warnings(&declaration.block, &draft);
    let mut attributes = declaration.attrs.clone();
    attributes.retain(|attr| !attr.path().is_ident("expect"));
    if !warnings.is_empty() {
        attributes.extend(take_expectation(&mut declaration.attrs));
    }
    output.extend(expand::items(&declaration, &draft));
    output.extend(warnings.into_tokens(&attributes));
    output.extend(errors.into_tokens());
    output
}
