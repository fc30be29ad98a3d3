//! [`Errors`]: the mistakes of one macro call.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};

use crate::caller::is_editor;
use crate::misspelt::Misspelt;

/// The mistakes found so far. Parsing continues after each mistake, so that all are reported together.
#[derive(Default)]
#[must_use = "mistakes that are not emitted are lost"]
pub(crate) struct Errors(Vec<Mistake>);

struct Mistake {
    error: syn::Error,
    /// What a build reports in place of the error.
    misspelt: Option<Misspelt>,
}

impl Errors {
    /// Adds a mistake that points at these tokens.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    /// Adds an unknown word. If it is a misspelt one, a build reports it with the suggestion of rustc. An editor shows
    /// the message while the user types; the suggestion reaches it with the build.
    pub(crate) fn unknown_word(
        &mut self,
        word: &Ident,
        message: impl std::fmt::Display,
        misspelt: Option<Misspelt>,
    ) {
        self.0.push(Mistake { error: syn::Error::new_spanned(word, message), misspelt });
    }

    pub(crate) fn push(&mut self, error: syn::Error) {
        self.0.push(Mistake { error, misspelt: None });
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Code that reports each mistake, in the order of the source.
    pub(crate) fn into_tokens(mut self) -> TokenStream {
        // Tests run without a compiler. Spans have no position there, so the errors are not sorted.
        if proc_macro::is_available() {
            self.0.sort_by_key(|mistake| position(mistake.error.span()));
        }
        let in_editor = is_editor();
        let errors = self.0.into_iter().map(|mistake| match mistake.misspelt {
            Some(misspelt) if !in_editor && !is_of_a_macro(mistake.error.span()) => misspelt.into_tokens(),
            _ => mistake.error.to_compile_error(),
        });
        quote!(#(#errors)*)
    }

    pub(crate) fn messages(&self) -> Vec<String> {
        self.0.iter().map(|mistake| mistake.error.to_string()).collect()
    }
}

/// Whether the token stands in the body of a `macro_rules!`. There rustc suggests no field: its hygiene is another one,
/// whose number only `Debug` of the span shows. `#0` is code outside of macros.
fn is_of_a_macro(span: Span) -> bool {
    proc_macro::is_available() && !format!("{:?}", span.unwrap()).starts_with("#0 ")
}

fn position(span: Span) -> (usize, usize) {
    let span = span.unwrap();
    (span.line(), span.column())
}
