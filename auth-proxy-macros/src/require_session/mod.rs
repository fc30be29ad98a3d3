//! `#[require_session]`: inserts the guard as the first argument of a handler and changes nothing else.

mod args;
mod function;

#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::quote_spanned;

use self::args::Args;
use self::function::Function;
use crate::errors::Errors;

/// Axum implements `Handler` for functions of up to this many arguments.
const MOST_ARGUMENTS: usize = 16;

pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let args = args::parse(args, &mut errors);
    let mut output = match function::parse(item.clone()) {
        Ok(function) => guarded(function, &args, &mut errors),
        Err(error) => {
            errors.push(error);
            item
        }
    };
    output.extend(errors.into_tokens());
    output
}

/// The function with the guard as its first argument. The guard is inserted even if there are mistakes, so that further
/// errors of the compiler are about the final signature.
fn guarded(mut function: Function, args: &Args, errors: &mut Errors) -> TokenStream {
    if let Some(receiver) = function.signature.receiver() {
        errors.at(
            receiver,
            "a handler has no `self`: put `#[require_session]` on a free function or on an associated function, \
             or take `_: RequireSession<Auth>` where the method is called",
        );
        return function.into_tokens();
    }
    if function.signature.inputs.len() >= MOST_ARGUMENTS {
        errors.at(
            &function.signature.ident,
            "axum takes handlers of up to 16 arguments, and the guard is one of them: put two extractors into a tuple",
        );
    }
    if let Some(word) = &function.signature.constness {
        errors.at(word, "a handler is not `const`: remove the word");
    }
    if let syn::Safety::Unsafe(word) = &function.signature.safety {
        errors.at(word, "axum calls safe functions only: remove the `unsafe`");
    }
    if function.signature.asyncness.is_none() && !function.may_return_a_future() {
        let name = &function.signature.ident;
        errors.at(name, format!("a handler is asynchronous: write `async fn {name}`"));
    }
    let Args { krate, provider, policy, span } = args;
    let policy = policy.iter();
    // With the span of the attribute, the compiler reports a missing crate or proxy there.
    let guard = quote_spanned!(*span=> #krate::RequireSession<#provider #(, #policy)*>);
    function.insert_first(&guard);
    function.into_tokens()
}
