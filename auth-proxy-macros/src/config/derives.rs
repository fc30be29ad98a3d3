//! Checks the derives of a declaration.

use quote::quote_spanned;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Meta, Path, Token};

use crate::errors::Errors;

/// Derives of the standard library and of serde that a proxy does not take, and why.
const REFUSED: [(&str, &str); 12] = [
    ("Copy", "a proxy holds connections and is not `Copy`: use `.clone()`, which is cheap"),
    ("Default", "a proxy has no default: `from_env()` makes it"),
    ("Deserialize", "a proxy is not deserialized: `from_env()` makes it"),
    ("Deref", "every proxy is `Deref` already"),
    ("DerefMut", "a proxy does not change"),
    ("Eq", "proxies are not compared"),
    ("FromRef", "the state derives `FromRef`, and the proxy is a field of the state"),
    ("Hash", "proxies are not compared"),
    ("Ord", "proxies are not compared"),
    ("PartialEq", "proxies are not compared"),
    ("PartialOrd", "proxies are not compared"),
    ("Serialize", "a proxy is not serialized: it holds secrets"),
];

/// Reports derives that a proxy has already or cannot have, and removes them.
pub(super) fn check(attrs: Vec<Attribute>, errors: &mut Errors) -> Vec<Attribute> {
    attrs.into_iter().filter_map(|attr| checked(attr, errors)).collect()
}

/// The attribute without the traits that are reported. `None` if no trait is left.
fn checked(mut attr: Attribute, errors: &mut Errors) -> Option<Attribute> {
    let Meta::List(list) = &mut attr.meta else { return Some(attr) };
    if !list.path.is_ident("derive") {
        return Some(attr);
    }
    let parse = Punctuated::<Path, Token![,]>::parse_terminated;
    let Ok(traits) = syn::parse::Parser::parse2(parse, list.tokens.clone()) else { return Some(attr) };
    let count = traits.len();
    let kept: Vec<Path> = traits
        .into_iter()
        .filter(|path| match mistake(path) {
            Some(message) => {
                errors.at(path, message);
                false
            }
            None => true,
        })
        .collect();
    if kept.len() < count {
        let span = list.tokens.span();
        list.tokens = quote_spanned!(span=> #(#kept),*);
    }
    (count == 0 || !kept.is_empty()).then_some(attr)
}

fn mistake(path: &Path) -> Option<String> {
    let name = path.segments.last()?.ident.to_string();
    if name == "Clone" || name == "Debug" {
        return Some(format!("every proxy is `{name}` already: remove it from the derive"));
    }
    let (_, why) = REFUSED.iter().find(|(refused, _)| *refused == name)?;
    Some(format!("{why}; remove `{name}` from the derive"))
}
