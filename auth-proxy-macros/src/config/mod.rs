//! `auth_proxy!`: tokens are split and read (`parse`, `entries`, `lists`, `value`, `env`) into a `model`, which is
//! proved (`validate`) and expanded (`expand`). Every phase runs on what the one before understood,
//! so that a block with mistakes still declares its type.

mod entries;
mod env;
mod expand;
mod keys;
mod lists;
mod model;
mod parse;
mod validate;
mod value;

#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;

use crate::errors::Errors;

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(declaration) = parse::declaration(input, &mut errors) else {
        return errors.into_tokens();
    };
    validate::check(&declaration, &mut errors);
    let mut output = expand::items(&declaration);
    output.extend(errors.into_tokens());
    output
}
