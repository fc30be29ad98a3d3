//! `auth_proxy!` in three phases: `parse` reads the tokens into a `model`, `validate` checks it, `expand` writes the
//! items.
//!
//! Each phase works with the parts that the phase before could read. A declaration with mistakes still declares its
//! type, so that code which uses the type gives no further errors.

mod comments;
mod derives;
mod entries;
mod env;
mod expand;
mod expected;
mod fetch;
mod headers;
mod key;
mod keys;
mod literal;
mod model;
mod parse;
mod secrets;
mod type_arguments;
mod typescript;
mod validate;
mod value;

#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;

use crate::errors::Errors;

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(declaration) = parse::declaration(input.clone(), &mut errors) else {
        typescript::suggest(input, None, &mut errors);
        return errors.into_tokens();
    };
    validate::check(&declaration, &mut errors);
    if !errors.is_empty() {
        typescript::suggest(input, Some(&declaration), &mut errors);
    }
    let mut output = expand::items(&declaration);
    output.extend(errors.into_tokens());
    output
}
