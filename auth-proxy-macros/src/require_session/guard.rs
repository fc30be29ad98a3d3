//! The type of the argument that `#[require_session]` inserts.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::{GenericParam, Signature, Type};

use super::args::{Args, Policy};
use crate::tokens::is_punct;

/// `RequireSession<Auth, Admin>`, behind a check of both where they were written.
///
/// The check is a constant. It cannot name a generic parameter, so there is no check if the types could be one.
pub(super) fn guard(args: &Args, signature: &Signature) -> TokenStream {
    let Args { krate, provider, policy: written, span } = args;
    let policy = written.as_ref().map(Policy::ty);
    let (Some(provider), true) = (provider, is_concrete(args, signature)) else {
        let provider = match provider {
            Some(provider) => provider.to_token_stream(),
            None => Ident::new("Auth", Span::call_site()).to_token_stream(),
        };
        let policy = policy.iter();
        // With the span of the attribute, the compiler reports a missing crate or proxy there.
        return quote_spanned!(*span=> #krate::RequireSession<#provider #(, #policy)*>);
    };
    let check = |ty: &Type| quote_spanned!(*span=> #krate::__private::policy::<#provider, #ty>());
    let checks = match written.as_ref().and_then(|written| written.written().split_first()) {
        // A type is checked itself, and not the rule that it is in: then an error is about what the user wrote.
        Some((first, others)) => {
            let (first, others) = (check(first), others.iter().map(check));
            quote_spanned!(*span=> #first #(* #others)*)
        }
        None => quote_spanned!(*span=> #krate::__private::proxy::<#provider>()),
    };
    let policy = policy.unwrap_or_else(|| quote_spanned!(*span=> #krate::guards::AnySession));
    quote_spanned! {*span=>
        <[(); #checks] as #krate::__private::Guarded<#provider, #policy>>::Guard
    }
}

/// Whether the types certainly name no generic parameter, neither of the function nor of an `impl` around it.
fn is_concrete(args: &Args, signature: &Signature) -> bool {
    let is_parameter = |ident: &Ident| {
        signature.generics.params.iter().any(|parameter| match parameter {
            GenericParam::Type(parameter) => parameter.ident == *ident,
            GenericParam::Const(parameter) => parameter.ident == *ident,
            GenericParam::Lifetime(_) => false,
        })
    };
    let policies = args.policy.iter().flat_map(Policy::written);
    args.provider.iter().chain(policies).all(|ty| {
        let tokens: Vec<TokenTree> = ty.to_token_stream().into_iter().collect();
        let in_a_path = |at: usize| {
            let colon = |at: Option<usize>| is_punct(at.and_then(|at| tokens.get(at)), ':');
            colon(at.checked_sub(1)) || colon(at.checked_add(1))
        };
        tokens.iter().enumerate().all(|(at, token)| match token {
            // Type parameters have short names by convention (`P`, `T`), types have not.
            TokenTree::Ident(ident) => {
                !is_parameter(ident) && ident != "Self" && (in_a_path(at) || ident.to_string().len() > 2)
            }
            TokenTree::Punct(punct) => punct.as_char() != '\'',
            TokenTree::Group(_) | TokenTree::Literal(_) => false,
        })
    })
}
