//! [`Errors`]: the mistakes of one macro call.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

/// The mistakes found so far. Parsing continues after each mistake, so that all are reported together.
#[derive(Default)]
#[must_use = "mistakes that are not emitted are lost"]
pub(crate) struct Errors(Vec<syn::Error>);

impl Errors {
    /// Adds a mistake that points at these tokens.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.0.push(syn::Error::new_spanned(tokens, message));
    }

    pub(crate) fn push(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One `compile_error!` for each mistake, in the order of the source.
    pub(crate) fn into_tokens(mut self) -> TokenStream {
        // Tests run without a compiler. Spans have no position there, so the errors are not sorted.
        if proc_macro::is_available() {
            self.0.sort_by_key(|error| {
                let span = error.span().unwrap();
                (span.line(), span.column())
            });
        }
        let errors = self.0.iter().map(syn::Error::to_compile_error);
        quote!(#(#errors)*)
    }

    pub(crate) fn messages(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}
