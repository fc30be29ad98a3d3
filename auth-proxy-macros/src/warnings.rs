//! [`Warnings`]: what a macro call warns about.
//!
//! A macro can emit errors and no warnings on stable Rust. But rustc warns about each use of a deprecated item, with the
//! text of its note. So each warning becomes a deprecated constant and its use at the user's token.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Path, Token};

/// What rustc calls a value that is probably not meant.
const SUSPICIOUS: &str = "SUSPICIOUS";

/// The warnings of one macro call.
#[derive(Default)]
#[must_use = "warnings that are not emitted are lost"]
pub(crate) struct Warnings(Vec<Warning>);

struct Warning {
    /// What rustc calls the deprecated item.
    name: String,
    span: Span,
    message: String,
}

impl Warnings {
    /// Adds a warning about a value that is allowed and probably not meant. It points at the first of these tokens.
    pub(crate) fn suspicious(&mut self, tokens: &TokenStream, message: impl Into<String>) {
        let span = tokens.clone().into_iter().next().map_or_else(Span::call_site, |token| token.span());
        self.0.push(Warning { name: SUSPICIOUS.to_owned(), span, message: message.into() });
    }

    /// Adds a warning about the use of a deprecated option.
    pub(crate) fn deprecated(&mut self, key: &Ident, message: impl Into<String>) {
        self.0.push(Warning { name: key.to_string(), span: key.span(), message: message.into() });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Code that makes rustc report each warning. `#[allow(deprecated)]` among `attributes` silences them, and so does a
    /// `#[cfg(..)]` that leaves the declaration out.
    pub(crate) fn into_tokens(self, attributes: &[Attribute]) -> TokenStream {
        let levels: Vec<&Attribute> = attributes.iter().filter(|attr| decides(attr)).collect();
        let warnings = self.0.into_iter().map(|Warning { name, span, message }| {
            let definition = Ident::new(&name, Span::call_site());
            let used = Ident::new(&name, span);
            // Only where it is needed: a `forbid` of the user refuses each `allow`.
            let style = (name != SUSPICIOUS).then(|| quote!(#[allow(non_upper_case_globals)]));
            quote! {
                #(#levels)*
                const _: () = {
                    #style
                    #[deprecated(note = #message)]
                    const #definition: () = ();
                    #used
                };
            }
        });
        quote!(#(#warnings)*)
    }
}

/// Whether the attribute decides if there is a warning.
fn decides(attr: &Attribute) -> bool {
    if !attr.path().is_ident("cfg_attr") {
        return attr.path().is_ident("cfg") || is_lint_level(attr.path());
    }
    let parts = attr.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
    parts.is_ok_and(|parts| parts.iter().skip(1).all(|part| is_lint_level(part.path())))
}

/// Takes `#[expect(deprecated)]` out of the attributes of a declaration, where nothing fulfils it. It belongs to the
/// warnings alone.
pub(crate) fn take_expectation(attributes: &mut Vec<Attribute>) -> Option<Attribute> {
    let place = attributes.iter().position(|attr| {
        let parts = attr.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
        let is_deprecated =
            |part: &Meta| part.path().is_ident("deprecated") || part.path().is_ident("reason");
        attr.path().is_ident("expect") && parts.is_ok_and(|parts| parts.iter().all(is_deprecated))
    });
    place.map(|place| attributes.remove(place))
}

fn is_lint_level(path: &Path) -> bool {
    ["allow", "expect", "warn", "deny", "forbid"].iter().any(|level| path.is_ident(level))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(warnings: Warnings, attributes: &str) -> String {
        let item: syn::ItemStruct = syn::parse_str(&format!("{attributes} struct Auth;")).unwrap();
        warnings.into_tokens(&item.attrs).to_string()
    }

    #[test]
    fn warning_is_the_use_of_a_deprecated_constant() {
        let mut warnings = Warnings::default();
        warnings.deprecated(&Ident::new("old_key", Span::call_site()), "write `new_key`");
        let code = code(warnings, "#[allow(deprecated)] #[must_use]");
        assert!(
            code.contains("# [deprecated (note = \"write `new_key`\")] const old_key : () = () ; old_key"),
            "{code}"
        );
        assert!(code.starts_with("# [allow (deprecated)] const _"), "{code}");
    }

    #[test]
    fn attributes_that_decide_about_the_declaration_decide_about_its_warnings() {
        for (attributes, kept) in [
            ("#[cfg(test)]", true),
            ("#[cfg_attr(test, allow(deprecated))]", true),
            ("#[cfg_attr(test, must_use)]", false),
            ("#[must_use]", false),
        ] {
            let mut warnings = Warnings::default();
            warnings.suspicious(&quote!(a), "remove it");
            assert_eq!(code(warnings, attributes).starts_with("# ["), kept, "{attributes}");
        }
    }

    #[test]
    fn no_warning_is_no_code() {
        assert_eq!(code(Warnings::default(), "#[allow(deprecated)]"), "");
    }
}
