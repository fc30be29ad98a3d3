//! `#[require_session]`: inserts the guard as the first argument of a handler and changes nothing else.

mod args;
mod function;
mod guard;
mod mistakes;
mod rule;

#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;

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
            // In place of an expression the output is one expression, so the error stands alone.
            if function::is_expression(item.clone()) { TokenStream::new() } else { item }
        }
    };
    output.extend(errors.into_tokens());
    output
}

/// The function with the guard as its first argument. The guard is inserted even if there are mistakes, so that further
/// errors of the compiler are about the final signature. What axum would refuse in addition is mended.
fn guarded(mut function: Function, args: &Args, errors: &mut Errors) -> TokenStream {
    if let Some(receiver) = function.signature.receiver() {
        errors.at(
            receiver,
            format!(
                "a handler has no `self`: put `#[require_session]` on a free function or on an associated function, \
                 or take `_: RequireSession<{}>` where the method is called",
                args.types()
            ),
        );
        return function.into_tokens();
    }
    let guard = guard::guard(args, &function.signature);
    let name = function.signature.ident.clone();
    if let Some(word) = function.signature.constness.take() {
        errors.at(word, format!("a handler is not `const`: write `async fn {name}`"));
        function.make_async();
    }
    if let syn::Safety::Unsafe(word) = &function.signature.safety {
        errors.at(word, "axum calls safe functions only: remove the `unsafe`");
        function.signature.safety = syn::Safety::Default;
    }
    if function.signature.asyncness.is_none() && !function.may_return_a_future() {
        errors.at(&name, format!("a handler is asynchronous: write `async fn {name}`"));
        function.make_async();
    }
    if function.signature.inputs.len() >= MOST_ARGUMENTS {
        errors.at(
            &name,
            "axum takes handlers of up to 16 arguments, and the guard is one of them: put two extractors into a tuple",
        );
        function.join_last_arguments(MOST_ARGUMENTS.saturating_sub(1));
    }
    function.insert_first(&guard);
    function.into_tokens()
}
